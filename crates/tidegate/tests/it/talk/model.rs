//! A model's service on a real socket that does exactly what a test tells it, well or badly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tidegate::config::{Config, Hidden};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub(super) const KEY: &str = "sk-never-to-be-seen";

/// One thing that the service does with a connection.
#[derive(Clone)]
pub(super) enum Act {
    /// Writes these bytes at once, as a packet of their own.
    Write(Vec<u8>),
    /// Waits until the test lets it go on.
    Await(Arc<Notify>),
    /// Says nothing more until the other side closes.
    Hang,
}

pub(super) struct ModelService {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    closed: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Drop for ModelService {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl ModelService {
    /// A service that does this with its first connection, that with its second, and so on; the
    /// last script is for all that follow.
    pub(super) async fn start(scripts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (requests, closed) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicUsize>::default());
        let (heard, ended) = (Arc::clone(&requests), Arc::clone(&closed));
        let serving = tokio::spawn(async move {
            let mut number = 0;
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let script = scripts.get(number).or(scripts.last()).cloned().unwrap_or_default();
                number += 1;
                tokio::spawn(serve(socket, script, Arc::clone(&heard), Arc::clone(&ended)));
            }
        });
        Self { port, requests, closed, serving }
    }

    /// Says these words and then nothing more.
    pub(super) async fn hanging(words: &str) -> Self {
        Self::start(vec![vec![head(), chunk(say(words).as_bytes()), Act::Hang]]).await
    }

    pub(super) fn configure(&self, config: &mut Config) {
        config.llm.base_url = Some(format!("http://127.0.0.1:{}/v1", self.port));
        config.llm.model = Some("small".to_owned());
        config.llm.api_key = Some(Hidden::from(KEY.to_owned()));
        config.llm.between_tokens_seconds = 1;
    }

    /// The same as variables of a server that is another process.
    pub(super) fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("TIDEGATE_LLM_BASE_URL", format!("http://127.0.0.1:{}/v1", self.port)),
            ("TIDEGATE_LLM_MODEL", "small".to_owned()),
            ("TIDEGATE_LLM_API_KEY", KEY.to_owned()),
        ]
    }

    /// The requests so far, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// How many connections the other side has closed while the service was silent.
    pub(super) fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut socket: TcpStream,
    script: Vec<Act>,
    requests: Arc<Mutex<Vec<String>>>,
    closed: Arc<AtomicUsize>,
) {
    socket.set_nodelay(true).unwrap();
    let request = read_request(&mut socket).await;
    requests.lock().unwrap().push(request);
    for act in script {
        match act {
            Act::Write(bytes) => {
                if socket.write_all(&bytes).await.is_err() {
                    return;
                }
                let _ = socket.flush().await;
            }
            Act::Await(go) => go.notified().await,
            Act::Hang => {
                let mut byte = [0; 1];
                if matches!(socket.read(&mut byte).await, Ok(0) | Err(_)) {
                    closed.fetch_add(1, Ordering::SeqCst);
                }
                return;
            }
        }
    }
    let _ = socket.shutdown().await;
}

async fn read_request(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length:").and_then(|value| value.trim().parse::<usize>().ok())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let mut buffer = [0; 16_384];
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// The head of a streamed answer.
pub(super) fn head() -> Act {
    answer_head("200 OK", "text/event-stream; charset=utf-8")
}

pub(super) fn answer_head(status: &str, media_type: &str) -> Act {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n");
    Act::Write(head.into_bytes())
}

/// A refusal with its body, whole.
pub(super) fn refusal(status: &str, extra: &str) -> Vec<Act> {
    let body = format!("{{\"error\":{{\"message\":\"your key {KEY} is bad\"}}}}");
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    vec![Act::Write(text.into_bytes())]
}

pub(super) fn chunk(bytes: &[u8]) -> Act {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    Act::Write(framed)
}

pub(super) fn end() -> Act {
    Act::Write(b"0\r\n\r\n".to_vec())
}

pub(super) fn say(words: &str) -> String {
    format!("data: {}\n\n", serde_json::json!({ "choices": [{ "delta": { "content": words } }] }))
}

pub(super) const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n";
pub(super) const DONE: &str = "data: [DONE]\n\n";

/// A whole, well-behaved answer.
pub(super) fn whole(words: &[&str]) -> Vec<Act> {
    let mut acts = vec![head()];
    acts.extend(words.iter().map(|word| chunk(say(word).as_bytes())));
    acts.extend([chunk(STOP.as_bytes()), chunk(DONE.as_bytes()), end()]);
    acts
}
