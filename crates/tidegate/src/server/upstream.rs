//! Requests to a model's service, over the machine's network.
//!
//! Owns: the HTTP client and its time to connect. Must not: follow a redirect, or log what was sent.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use tidegate_documents::{Upstream, UpstreamError, UpstreamRequest, UpstreamResponse};

const CONNECT: Duration = Duration::from_secs(5);

/// A client that is made at its first request.
#[derive(Debug, Default)]
pub(super) struct HttpUpstream {
    client: OnceLock<Option<reqwest::Client>>,
}

impl HttpUpstream {
    fn client(&self) -> Result<&reqwest::Client, UpstreamError> {
        let made = self.client.get_or_init(|| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT)
                .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
                .build()
                .ok()
        });
        made.as_ref().ok_or_else(|| UpstreamError::Address("TLS could not be set up".to_owned()))
    }
}

#[async_trait]
impl Upstream for HttpUpstream {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamError> {
        let mut post = self
            .client()?
            .post(&request.url)
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .body(request.body);
        if let Some(bearer) = &request.bearer {
            post = post.bearer_auth(bearer.expose_secret());
        }
        let response = post.send().await.map_err(failed)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let media_type = header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        Ok(UpstreamResponse {
            status: response.status().as_u16(),
            media_type: media_type.trim().to_ascii_lowercase(),
            retry_after: header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs),
            body: Box::pin(response.bytes_stream().map(|chunk| chunk.map_err(failed))),
        })
    }
}

fn failed(error: reqwest::Error) -> UpstreamError {
    // The address may hold what the operator does not want in a log.
    let error = error.without_url();
    if error.is_builder() {
        return UpstreamError::Address(error.to_string());
    }
    if error.is_connect() || error.is_timeout() {
        return UpstreamError::Unreachable(error.to_string());
    }
    UpstreamError::Broken(error.to_string())
}
