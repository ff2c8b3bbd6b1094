//! A small HTTP/1.1 client for loads: requests are built once, answers are parsed no further
//! than the load needs. Not for general use: it trusts the server that it measures.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::args::{BenchArgs, Live};

const HEADERS_MAX: usize = 64;
const BODY_MAX: usize = 64 << 20;

/// The server under load.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// Path in front of a stream's own name.
    pub(super) prefix: String,
    pub(super) key: Option<String>,
    pub(super) live: Live,
    pub(super) pid: Option<u32>,
}

impl Target {
    pub(super) fn from_args(args: &BenchArgs) -> anyhow::Result<Self> {
        let url = args.target.as_deref().unwrap_or_default();
        let rest = url.strip_prefix("http://").context("--target wants a plain http:// URL")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address =
            authority.parse().context("--target wants an address and a port, e.g. 127.0.0.1:8000")?;
        let prefix =
            if path.is_empty() { "/".to_owned() } else { format!("/{}/", path.trim_end_matches('/')) };
        Ok(Self { address, prefix, key: args.key.clone(), live: args.live, pid: args.server_pid })
    }

    pub(super) fn path(&self, stream: &str) -> String {
        format!("{}{stream}", self.prefix)
    }

    /// A whole request, ready to be written any number of times.
    pub(super) fn request(&self, method: &str, path: &str, body: Option<&[u8]>) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if let Some(key) = &self.key {
            head.push_str(&format!("Authorization: Bearer {key}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body.unwrap_or_default());
        request
    }

    /// Creates a stream of JSON records.
    pub(super) async fn create(&self, stream: &str) -> anyhow::Result<()> {
        let mut connection = Connection::open(self).await?;
        let mut request = self.request("PUT", &self.path(stream), Some(b""));
        let answer = connection.exchange(&mut request).await?;
        if !matches!(answer.status, 200 | 201) {
            bail!("creating {stream} was answered with {}: {}", answer.status, answer.text());
        }
        Ok(())
    }

    /// The path that opens a live read, with a ticket of its own where one is needed.
    pub(super) async fn live_path(&self, stream: &str, from: &str) -> anyhow::Result<String> {
        match (self.live, &self.key) {
            (Live::Sse, _) => Ok(format!("{}?offset={from}&live=sse", self.path(stream))),
            (Live::Events, None) => Ok(format!("{}?after={from}&live=events", self.path(stream))),
            (Live::Events, Some(_)) => {
                let ticket = self.ticket(stream).await?;
                Ok(format!("{}?after={from}&live=events&ticket={ticket}", self.path(stream)))
            }
        }
    }

    async fn ticket(&self, stream: &str) -> anyhow::Result<String> {
        let mut connection = Connection::open(self).await?;
        let mut request = self.request("POST", &format!("{}?ticket", self.path(stream)), Some(b""));
        let answer = connection.exchange(&mut request).await?;
        let body: serde_json::Value =
            serde_json::from_slice(&answer.body).context("no ticket in the answer")?;
        let ticket = body.get("sse_token").and_then(|t| t.as_str());
        Ok(ticket.with_context(|| format!("no ticket: {}", answer.text()))?.to_owned())
    }
}

/// An answer with its body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }
}

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) chunked: bool,
    length: usize,
}

/// One keep-alive connection.
pub(super) struct Connection {
    socket: TcpStream,
    buffer: BytesMut,
}

impl Connection {
    pub(super) async fn open(target: &Target) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(target.address).await.context("could not connect")?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: BytesMut::new() })
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn exchange(&mut self, request: &mut [u8]) -> anyhow::Result<Answer> {
        self.socket.write_all(request).await?;
        let head = self.head().await?;
        anyhow::ensure!(!head.chunked && head.length <= BODY_MAX, "an answer of unexpected shape");
        while self.buffer.len() < head.length {
            self.fill().await?;
        }
        let body = self.buffer.split_to(head.length).to_vec();
        Ok(Answer { status: head.status, body })
    }

    /// Sends a request and reads the answer's head; the body stays in the connection.
    pub(super) async fn open_body(mut self, request: &[u8]) -> anyhow::Result<(Head, BytesMut, TcpStream)> {
        self.socket.write_all(request).await?;
        let head = self.head().await?;
        Ok((head, self.buffer, self.socket))
    }

    async fn head(&mut self) -> anyhow::Result<Head> {
        loop {
            if let Some(head) = self.parse_head()? {
                return Ok(head);
            }
            self.fill().await?;
        }
    }

    fn parse_head(&mut self) -> anyhow::Result<Option<Head>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(size) = response.parse(&self.buffer)? else { return Ok(None) };
        let value =
            |name: &str| response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value);
        let length = value("content-length").and_then(|v| std::str::from_utf8(v).ok()?.parse().ok());
        let head = Head {
            status: response.code.unwrap_or(0),
            chunked: value("transfer-encoding").is_some(),
            length: length.unwrap_or(0),
        };
        let _ = self.buffer.split_to(size);
        Ok(Some(head))
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        self.buffer.reserve(4_096);
        let read = self.socket.read_buf(&mut self.buffer).await?;
        anyhow::ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}
