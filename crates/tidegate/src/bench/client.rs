//! A small HTTP/1.1 client for loads: requests are built once, answers are parsed no further
//! than the load needs. Not for general use: it trusts the server that it measures.

use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::net::{IpAddr, Ipv4Addr};
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::target::Target;

const HEADERS_MAX: usize = 64;
/// What a stalled reader's kernel may take in before the server is made to wait.
const NARROW_BYTES: u32 = 8 << 10;
const BODY_MAX: usize = 64 << 20;

#[cfg(target_os = "linux")]
/// Addresses of this machine that connections come from in turn, where it has so many.
const SOURCES: u32 = 16;

/// A socket for a connection. From one address there are 28,000 ports, and each rests for a while after its
/// connection: two seconds of opening and leaving use them up, and what is measured then is the wait for one.
fn socket_to(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(target_os = "linux")]
    if address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        static TURN: AtomicU32 = AtomicU32::new(0);
        let turn = TURN.fetch_add(1, Ordering::Relaxed) % SOURCES;
        socket.bind((Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + turn), 0).into())?;
    }
    Ok(socket)
}

/// An answer with its body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> String {
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
        let socket = socket_to(target.address)?.connect(target.address).await.context("could not connect")?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: BytesMut::new() })
    }

    /// A connection whose receive buffer is small, so that it stalls soon when nobody reads.
    pub(super) async fn open_narrow(target: &Target) -> anyhow::Result<Self> {
        let socket = socket_to(target.address)?;
        socket.set_recv_buffer_size(NARROW_BYTES)?;
        let socket = socket.connect(target.address).await.context("could not connect")?;
        Ok(Self { socket, buffer: BytesMut::new() })
    }

    /// Appends one record or batch and waits for the answer.
    pub(super) async fn append(&mut self, request: &[u8]) -> anyhow::Result<()> {
        let answer = self.exchange(request).await?;
        anyhow::ensure!(
            (200..300).contains(&answer.status),
            "an append was answered with {}: {}",
            answer.status,
            answer.text()
        );
        Ok(())
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
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
