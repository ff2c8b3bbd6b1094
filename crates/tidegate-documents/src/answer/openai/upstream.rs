//! The way out: one `POST`, its answer as it comes. The binary brings the HTTP client.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use secrecy::SecretString;

/// A request with a JSON body.
#[derive(Clone, Debug)]
pub struct UpstreamRequest {
    /// Where to.
    pub url: String,
    /// Sent as a bearer token.
    pub bearer: Option<SecretString>,
    /// The body, `application/json`.
    pub body: Bytes,
}

/// The bytes of an answer, as they come. Dropping it ends the request.
pub type UpstreamBody = Pin<Box<dyn Stream<Item = Result<Bytes, UpstreamError>> + Send>>;

/// The head of an answer, and its body.
pub struct UpstreamResponse {
    /// The HTTP status.
    pub status: u16,
    /// The media type without its parameters, in lower case; empty when there is none.
    pub media_type: String,
    /// `Retry-After` in seconds, if it was a number.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: UpstreamBody,
}

impl fmt::Debug for UpstreamResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamResponse")
            .field("status", &self.status)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

/// There was no answer, or no more of it. The text names no address and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// Nothing was reached.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The request can't be made: the address is none.
    #[error("the address can't be used: {0}")]
    Address(String),
}

/// Sends requests. Follows no redirect: the key goes where the operator said and nowhere else.
#[async_trait]
pub trait Upstream: Send + Sync + fmt::Debug {
    /// Sends one request and answers once the head of the answer is there. Dropping the future
    /// ends the request.
    ///
    /// # Errors
    /// There was no answer.
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamError>;
}
