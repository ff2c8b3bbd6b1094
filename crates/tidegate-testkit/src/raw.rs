//! HTTP/1.1 by hand on a socket: what goes out is exactly what the test says, byte for byte.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::eventually::PATIENCE;

/// A connection.
#[derive(Debug)]
pub struct RawConnection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// An answer as it stood on the wire.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body with its chunks joined.
    pub body: Vec<u8>,
}

impl RawAnswer {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, whatever it is.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl RawConnection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn open(addr: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(addr).await.with_context(|| format!("connecting to {addr}"))?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: Vec::new() })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The other side is gone.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        Ok(self.socket.write_all(bytes.as_ref()).await?)
    }

    /// Sends a request head and body; `Host` and `Content-Length` are added if they are missing.
    ///
    /// # Errors
    /// The other side is gone.
    pub async fn request(&mut self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> anyhow::Result<()> {
        let mut head = format!("{line} HTTP/1.1\r\n");
        let has = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !has("host") {
            head.push_str(&format!("host: {}\r\n", self.socket.peer_addr()?));
        }
        if !body.is_empty() && !has("content-length") && !has("transfer-encoding") {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.send(head).await?;
        self.send(body).await
    }

    /// Reads one whole answer.
    ///
    /// # Errors
    /// The connection ended before it, or it took longer than a test waits.
    pub async fn answer(&mut self) -> anyhow::Result<RawAnswer> {
        tokio::time::timeout(PATIENCE, self.read_answer()).await.context("no answer in time")?
    }

    /// Whether the other side closes the connection while the test waits.
    pub async fn is_closed_by_peer(&mut self) -> bool {
        let mut rest = [0; 1024];
        let closed = async {
            loop {
                match self.socket.read(&mut rest).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.is_ok()
    }

    /// Reads the head of an answer: status and headers.
    ///
    /// # Errors
    /// The connection ended before it.
    pub async fn head(&mut self) -> anyhow::Result<RawAnswer> {
        let end = self.find(b"\r\n\r\n").await?;
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("no status line in {text:?}"))?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(RawAnswer { status, headers, body: Vec::new() })
    }

    async fn read_answer(&mut self) -> anyhow::Result<RawAnswer> {
        let mut answer = self.head().await?;
        if matches!(answer.status, 100..=199 | 204 | 304) {
            return Ok(answer);
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().await? {
                answer.body.extend(chunk);
            }
        } else if let Some(length) = answer.header("content-length").and_then(|l| l.parse::<usize>().ok()) {
            while self.buffer.len() < length {
                self.fill().await?;
            }
            answer.body = self.buffer.drain(..length).collect();
        } else {
            while self.fill().await.is_ok() {}
            answer.body = std::mem::take(&mut self.buffer);
        }
        Ok(answer)
    }

    /// The next chunk of a chunked body, as it was written; `None` at its end.
    ///
    /// # Errors
    /// The connection ended inside.
    pub async fn chunk(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let end = self.find(b"\r\n").await?;
        let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
        let text = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(text.trim().split(';').next().unwrap_or_default(), 16)
            .with_context(|| format!("no chunk size in {text:?}"))?;
        while self.buffer.len() < size + 2 {
            self.fill().await?;
        }
        let chunk: Vec<u8> = self.buffer.drain(..size + 2).take(size).collect();
        Ok((size > 0).then_some(chunk))
    }

    async fn find(&mut self, needle: &[u8]) -> anyhow::Result<usize> {
        loop {
            if let Some(at) = self.buffer.windows(needle.len()).position(|window| window == needle) {
                return Ok(at);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let read = self.socket.read(&mut chunk).await?;
        if read == 0 {
            bail!("the connection was closed; left over: {:?}", String::from_utf8_lossy(&self.buffer));
        }
        self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        Ok(())
    }
}
