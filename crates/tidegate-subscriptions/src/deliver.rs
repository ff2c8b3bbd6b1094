//! Calls of webhooks, made by whoever owns an HTTP client.

use std::time::Duration;

use async_trait::async_trait;

use crate::WebhookUrl;

/// One call: a `POST` of JSON.
#[derive(Clone, Debug)]
pub struct WebhookCall {
    /// Where to.
    pub url: WebhookUrl,
    /// The `Webhook-Signature` header.
    pub signature: String,
    /// The body. Holds a token: not for logs.
    pub body: Vec<u8>,
    /// How long it may take, from the look-up of the name to the end of the answer.
    pub timeout: Duration,
    /// How many bytes of the answer are read.
    pub answer_bytes: usize,
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub struct WebhookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, cut at the bound.
    pub body: Vec<u8>,
}

/// A call was not made, or not answered. The text is shown to the subscription's owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DeliverError(pub String);

/// Makes the calls. Must look the name up once, connect to nothing but a public address that it
/// found ([`crate::is_public`]; loopback if the URL says so), follow no redirect and use no proxy.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Makes one call.
    ///
    /// # Errors
    /// The call was not made, or not answered in time.
    async fn deliver(&self, call: WebhookCall) -> Result<WebhookAnswer, DeliverError>;
}

/// Calls nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoDeliver;

#[async_trait]
impl Deliver for NoDeliver {
    async fn deliver(&self, _: WebhookCall) -> Result<WebhookAnswer, DeliverError> {
        Err(DeliverError("webhooks are switched off".to_owned()))
    }
}
