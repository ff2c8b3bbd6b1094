//! A reader of events over a raw socket: chunked framing and event parsing written for tests only.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::{Answer, Server};

const PATIENCE: Duration = Duration::from_secs(20);

/// One event as a browser would see it, with its id line if it had one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) retry: Option<u64>,
    pub(crate) data: String,
}

impl Event {
    /// The data as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap()
    }

    /// The offset in its id, without the tag.
    pub(crate) fn offset(&self) -> &str {
        self.id.as_deref().unwrap().split('.').next().unwrap()
    }
}

/// An open stream of events.
pub(crate) struct EventStream {
    socket: TcpStream,
    raw: Vec<u8>,
    text: Vec<u8>,
    ended: bool,
    pub(crate) head: String,
    /// The head with its letters as they came: cookies tell them apart.
    pub(crate) head_as_sent: String,
    pub(crate) status: u16,
}

impl EventStream {
    /// Asks for a stream and reads the answer's head.
    pub(crate) async fn open(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        Self::send(server, &request).await
    }

    pub(crate) async fn send(server: &Server, request: &str) -> Self {
        Self::send_to(server.address, request).await
    }

    pub(crate) async fn send_to(address: SocketAddr, request: &str) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self {
            socket,
            raw: Vec::new(),
            text: Vec::new(),
            ended: false,
            head: String::new(),
            head_as_sent: String::new(),
            status: 0,
        };
        let end = loop {
            if let Some(at) = find(&stream.raw, b"\r\n\r\n") {
                break at;
            }
            assert!(stream.fill().await, "closed before the head came");
        };
        let rest = stream.raw.split_off(end + 4);
        stream.head_as_sent = String::from_utf8(std::mem::replace(&mut stream.raw, rest)).unwrap();
        stream.head = stream.head_as_sent.to_ascii_lowercase();
        if let Some(length) = stream.content_length() {
            while stream.raw.len() < length {
                assert!(stream.fill().await, "closed before the body came");
            }
            (stream.text, stream.ended) = (std::mem::take(&mut stream.raw), true);
        }
        stream.status = stream.head.split(' ').nth(1).unwrap().parse().unwrap();
        stream
    }

    /// The next event; `None` when the server closed the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = find(&self.text, b"\n\n") {
                let rest = self.text.split_off(end + 2);
                let block = String::from_utf8(std::mem::replace(&mut self.text, rest)).unwrap();
                match parse(&block) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            if self.ended {
                return None;
            }
            self.unchunk().await;
        }
    }

    /// The next event that is no ping.
    pub(crate) async fn next_but_ping(&mut self) -> Option<Event> {
        loop {
            match self.next().await {
                Some(event) if event.name == "ping" => {}
                other => return other,
            }
        }
    }

    /// All events to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Answers whose events are all known say how long they are.
    fn content_length(&self) -> Option<usize> {
        let line = self.head.lines().find(|line| line.starts_with("content-length:"))?;
        line.split(':').nth(1)?.trim().parse().ok()
    }

    async fn unchunk(&mut self) {
        let line = loop {
            if let Some(at) = find(&self.raw, b"\r\n") {
                break at;
            }
            if !self.fill().await {
                self.ended = true;
                return;
            }
        };
        let size = usize::from_str_radix(std::str::from_utf8(&self.raw[..line]).unwrap(), 16).unwrap();
        while self.raw.len() < line + 2 + size + 2 {
            if !self.fill().await {
                self.ended = true;
                return;
            }
        }
        self.text.extend_from_slice(&self.raw[line + 2..line + 2 + size]);
        self.raw.drain(..line + size + 4);
        self.ended = size == 0;
    }

    async fn fill(&mut self) -> bool {
        let mut buffer = [0; 4_096];
        let read = tokio::time::timeout(PATIENCE, self.socket.read(&mut buffer)).await;
        let count = read.expect("nothing came in time").unwrap_or(0);
        self.raw.extend_from_slice(&buffer[..count]);
        count > 0
    }
}

/// A request with a body, answered whole.
pub(crate) async fn ask(server: &Server, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    server
        .send(&format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
        .await
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn parse(block: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut data: Option<String> = None;
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut event.name),
            "id" => event.id = Some(value.to_owned()),
            "retry" => event.retry = value.parse().ok(),
            "data" => data = Some(data.map_or_else(|| value.to_owned(), |before| before + "\n" + value)),
            _ => {}
        }
    }
    event.data = data?;
    Some(event)
}
