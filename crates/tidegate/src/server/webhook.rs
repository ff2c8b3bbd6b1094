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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tidegate_subscriptions::WebhookPolicy;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Names that lead where the test says; each look may lead elsewhere.
    struct Scripted(Vec<Vec<&'static str>>, AtomicUsize);

    #[async_trait]
    impl Resolve for Scripted {
        async fn resolve(&self, _: &str, _: u16) -> std::io::Result<Vec<IpAddr>> {
            let look = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
            Ok(self.0[look].iter().map(|text| text.parse().unwrap()).collect())
        }
    }

    fn deliver(looks: Vec<Vec<&'static str>>) -> HttpDeliver {
        HttpDeliver { resolve: Arc::new(Scripted(looks, AtomicUsize::new(0))) }
    }

    fn call(url: &str, allow_loopback: bool) -> WebhookCall {
        WebhookCall {
            url: WebhookUrl::parse(url, WebhookPolicy { enabled: true, allow_loopback }).unwrap(),
            signature: "t=1,kid=k,ed25519=s".to_owned(),
            body: b"{}".to_vec(),
            timeout: Duration::from_secs(2),
            answer_bytes: 16,
        }
    }

    #[tokio::test]
    async fn a_public_name_that_leads_to_a_private_address_is_not_connected_to() {
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "fd00::1",
        ] {
            for looks in [vec![vec![address]], vec![vec!["8.8.8.8", address]], vec![vec![address, "8.8.8.8"]]]
            {
                let refused = deliver(looks).deliver(call("https://rebound.example.com/", false)).await;
                assert_eq!(refused.unwrap_err().0, "the host leads to an address that may not be called");
            }
        }
        let nowhere = deliver(vec![vec![]]).deliver(call("https://rebound.example.com/", false)).await;
        assert_eq!(nowhere.unwrap_err().0, "the host was not found");
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked() {
        // The first look is fine; a second one would lead to this machine.
        let script = Arc::new(Scripted(vec![vec!["203.0.114.1"], vec!["127.0.0.1"]], AtomicUsize::new(0)));
        let deliver = HttpDeliver { resolve: Arc::clone(&script) as _ };
        let mut call = call("https://rebound.example.com:8443/", false);
        call.timeout = Duration::from_millis(200);
        assert!(deliver.deliver(call).await.is_err());
        assert_eq!(script.1.load(Ordering::SeqCst), 1);
    }

    const SILENT: &str = "";

    /// Answers each connection with these bytes and counts who came.
    async fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&came);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = [0; 4_096];
                let _ = socket.read(&mut request).await;
                if answer == SILENT {
                    std::future::pending::<()>().await;
                }
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        (port, came)
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let (other, never) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let location =
            format!("HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:{other}/\r\ncontent-length: 0\r\n\r\n");
        let (port, came) = server(location.leak()).await;
        let answer = deliver(vec![]).deliver(call(&format!("http://127.0.0.1:{port}/"), true)).await.unwrap();
        assert_eq!((answer.status, came.load(Ordering::SeqCst), never.load(Ordering::SeqCst)), (307, 1, 0));
    }

    #[tokio::test]
    async fn a_long_answer_is_cut_and_a_slow_one_is_left() {
        let (port, _) = server("HTTP/1.1 200 OK\r\n\r\nabcdefghijklmnopqrstuvwxyz").await;
        let answer = deliver(vec![]).deliver(call(&format!("http://127.0.0.1:{port}/"), true)).await.unwrap();
        assert_eq!(answer.body, b"abcdefghijklmnop");
        let (port, _) = server(SILENT).await;
        let mut slow = call(&format!("http://127.0.0.1:{port}/"), true);
        slow.timeout = Duration::from_millis(100);
        assert_eq!(deliver(vec![]).deliver(slow).await.unwrap_err().0, "no answer in time");
    }
}
