//! A live read: takes the chunk framing off and finds the markers of the load's records,
//! whatever events they are wrapped in.

use std::time::Instant;

use anyhow::{Context as _, bail};
use bytes::BytesMut;
use hdrhistogram::Histogram;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::client::{Connection, Target};
use super::meter::{MARKER_MAX, Marker};

/// One reader and what it has seen.
pub(super) struct Reader {
    socket: TcpStream,
    raw: BytesMut,
    /// Bytes of the current chunk that are still to come; `None` while its size line is read.
    chunk_left: Option<usize>,
    chunked: bool,
    text: BytesMut,
    next: u64,
    pub(super) seen: u64,
    pub(super) lost: u64,
    pub(super) repeated: u64,
    track_ids: bool,
    last_id: Option<String>,
}

impl Reader {
    /// Opens a live read; the first expected record is number `next`.
    pub(super) async fn open(target: &Target, path: &str, next: u64) -> anyhow::Result<Self> {
        Self::open_after(target, path, next, None).await
    }

    /// Opens a live read as a browser comes back, with the last id that it saw.
    pub(super) async fn open_after(
        target: &Target,
        path: &str,
        next: u64,
        last_id: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut request = target.request("GET", path, None);
        request.truncate(request.len().saturating_sub(2));
        request.extend_from_slice(b"Accept: text/event-stream\r\n");
        if let Some(id) = last_id {
            request.extend_from_slice(format!("Last-Event-ID: {id}\r\n").as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        let (head, raw, socket) = Connection::open(target).await?.open_body(&request).await?;
        if head.status != 200 {
            bail!("a live read was answered with {}", head.status);
        }
        let chunked = head.chunked;
        let (chunk_left, text) = (None, BytesMut::new());
        Ok(Self {
            socket,
            raw,
            chunk_left,
            chunked,
            text,
            next,
            seen: 0,
            lost: 0,
            repeated: 0,
            track_ids: false,
            last_id: None,
        })
    }

    /// Reads until `until` records were seen in all.
    pub(super) async fn read_until(
        &mut self,
        until: u64,
        started: Instant,
        latency: &mut Histogram<u64>,
    ) -> anyhow::Result<()> {
        loop {
            self.take(started, latency)?;
            if self.seen >= until {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Reads whatever comes, once.
    pub(super) async fn read_some(
        &mut self,
        started: Instant,
        latency: &mut Histogram<u64>,
    ) -> anyhow::Result<()> {
        self.fill().await?;
        self.take(started, latency)
    }

    /// Reads until the first bytes of the body are there.
    pub(super) async fn first_bytes(&mut self) -> anyhow::Result<()> {
        while self.raw.is_empty() && self.text.is_empty() {
            self.fill().await?;
        }
        Ok(())
    }

    /// Remembers the newest event's id from now on.
    pub(super) const fn track_ids(mut self) -> Self {
        self.track_ids = true;
        self
    }

    /// The id of the newest event, for coming back.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        self.raw.reserve(16_384);
        let read = self.socket.read_buf(&mut self.raw).await?;
        anyhow::ensure!(read > 0, "the server closed a live read after {} records", self.seen);
        Ok(())
    }

    fn take(&mut self, started: Instant, latency: &mut Histogram<u64>) -> anyhow::Result<()> {
        self.dechunk()?;
        let now = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut from = 0;
        while let Some((marker, end)) = Marker::find(&self.text, from) {
            from = end;
            self.count(marker.number);
            latency.saturating_record(now.saturating_sub(marker.sent_ns).max(1));
        }
        if self.track_ids {
            self.note_id();
        }
        // A marker may be cut at the end of what has come; keep as much as one can be long.
        let keep = self.text.len().saturating_sub(from).min(MARKER_MAX);
        let _ = self.text.split_to(self.text.len() - keep);
        Ok(())
    }

    fn count(&mut self, number: u64) {
        if number < self.next {
            self.repeated += 1;
            return;
        }
        self.lost += number - self.next;
        self.next = number + 1;
        self.seen += 1;
    }

    fn note_id(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let complete =
            text.rfind("\nid: ").and_then(|at| text.get(at + 5..)).and_then(|t| t.split_once('\n'));
        let first =
            text.starts_with("id: ").then(|| text.get(4..)).flatten().and_then(|t| t.split_once('\n'));
        if let Some((id, _)) = complete.or(first) {
            self.last_id = Some(id.trim().to_owned());
        }
    }

    fn dechunk(&mut self) -> anyhow::Result<()> {
        if !self.chunked {
            self.text.unsplit(self.raw.split());
            return Ok(());
        }
        loop {
            match self.chunk_left {
                Some(left) if self.raw.len() >= left + 2 => {
                    self.text.extend_from_slice(self.raw.get(..left).unwrap_or_default());
                    let _ = self.raw.split_to(left + 2);
                    self.chunk_left = None;
                }
                Some(_) => return Ok(()),
                None => {
                    let Some(end) = self.raw.windows(2).position(|pair| pair == b"\r\n") else {
                        return Ok(());
                    };
                    let size = std::str::from_utf8(self.raw.get(..end).unwrap_or_default())?;
                    let size = usize::from_str_radix(size, 16).context("a chunk of no size")?;
                    anyhow::ensure!(size > 0, "the server ended a live read after {} records", self.seen);
                    let _ = self.raw.split_to(end + 2);
                    self.chunk_left = Some(size);
                }
            }
        }
    }
}
