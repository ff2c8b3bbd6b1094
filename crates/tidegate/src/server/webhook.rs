//! Calls of webhooks: to public addresses only, looked up once, without redirects and proxies.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use reqwest::header::CONTENT_TYPE;
use tidegate_subscriptions::{Deliver, DeliverError, WebhookAnswer, WebhookCall, WebhookUrl};

/// Finds the addresses of a name.
#[async_trait]
trait Resolve: Send + Sync {
    async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<IpAddr>>;
}

/// As the system does.
struct SystemResolve;

#[async_trait]
impl Resolve for SystemResolve {
    async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, port)).await?;
        Ok(found.take(ADDRESSES_MAX).map(|address| address.ip()).collect())
    }
}

const ADDRESSES_MAX: usize = 32;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Calls webhooks with reqwest.
pub(super) struct HttpDeliver {
    resolve: Arc<dyn Resolve>,
}

impl Default for HttpDeliver {
    fn default() -> Self {
        Self { resolve: Arc::new(SystemResolve) }
    }
}

impl HttpDeliver {
    /// The one address that is connected to. Whoever mixes private addresses among public ones is refused whole.
    async fn address(&self, url: &WebhookUrl) -> Result<SocketAddr, DeliverError> {
        let (host, port) = (url.host(), url.port());
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => {
                self.resolve.resolve(&host, port).await.map_err(|_| failed("the host was not found"))?
            }
        };
        if !found.iter().all(|address| url.admits(*address)) {
            return Err(failed("the host leads to an address that may not be called"));
        }
        let first = found.first().ok_or_else(|| failed("the host was not found"))?;
        Ok(SocketAddr::new(*first, port))
    }

    async fn call(&self, call: WebhookCall) -> Result<WebhookAnswer, DeliverError> {
        let address = self.address(&call.url).await?;
        // A client for each call: it knows one address for one name, and keeps no connection.
        let client = reqwest::Client::builder()
            .resolve_to_addrs(&call.url.host(), &[address])
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| failed("TLS could not be set up"))?;
        let response = client
            .post(call.url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", call.signature)
            .body(call.body)
            .send()
            .await
            .map_err(|error| failed(words(&error)))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            let room = call.answer_bytes.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
        Ok(WebhookAnswer { status, body })
    }
}

#[async_trait]
impl Deliver for HttpDeliver {
    async fn deliver(&self, call: WebhookCall) -> Result<WebhookAnswer, DeliverError> {
        let timeout = call.timeout;
        tokio::time::timeout(timeout, self.call(call))
            .await
            .unwrap_or_else(|_| Err(failed("no answer in time")))
    }
}

/// What went wrong, in words that name neither the URL nor an address.
fn words(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "no connection, or no valid certificate"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "the call broke off"
    }
}

fn failed(why: &str) -> DeliverError {
    DeliverError(why.to_owned())
}
