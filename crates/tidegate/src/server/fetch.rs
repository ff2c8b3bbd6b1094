//! Outgoing calls of domain crates: bounded, without redirects, https unless to this machine.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use tidegate_gate::{Fetch, FetchError};

/// Fetches with reqwest; the client is made at the first call, since most servers never need it.
#[derive(Debug, Default)]
pub(super) struct HttpFetch {
    client: OnceLock<Option<reqwest::Client>>,
}

impl HttpFetch {
    fn client(&self) -> Result<&reqwest::Client, FetchError> {
        let made = self.client.get_or_init(|| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(3))
                .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
                .build()
                .ok()
        });
        made.as_ref().ok_or_else(|| failed("TLS could not be set up"))
    }
}

#[async_trait]
impl Fetch for HttpFetch {
    async fn fetch(&self, url: &str, bound_bytes: usize, timeout: Duration) -> Result<Vec<u8>, FetchError> {
        let work = async {
            let response = self.client()?.get(url).send().await.map_err(|e| failed(e.without_url()))?;
            if !response.status().is_success() {
                return Err(failed(format!("answered {}", response.status())));
            }
            let mut body = Vec::new();
            let mut chunks = response.bytes_stream();
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|e| failed(e.without_url()))?;
                if body.len().saturating_add(chunk.len()) > bound_bytes {
                    return Err(failed(format!("the answer is larger than {bound_bytes} bytes")));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        };
        tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| Err(failed("no answer in time")))
    }
}

fn failed(why: impl std::fmt::Display) -> FetchError {
    FetchError(why.to_string())
}
