//! Reading server-sent events as a browser would, frame by frame and with a deadline.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde_json::Value;
use std::pin::Pin;

use crate::eventually::PATIENCE;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseFrame {
    /// The id, with its tag if it has one.
    pub id: Option<String>,
    /// The event's name.
    pub event: Option<String>,
    /// The data, lines joined.
    pub data: String,
    /// The reconnection delay.
    pub retry: Option<u64>,
}

impl SseFrame {
    /// The data as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }

    /// The id without its tag.
    #[must_use]
    pub fn offset(&self) -> Option<&str> {
        self.id.as_deref().map(|id| id.split('.').next().unwrap_or(id))
    }

    /// Whether it is one of the stream's own frames: hello, gap, end, ping.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.event.as_deref().is_some_and(|name| name == "ping" || name.starts_with("tidegate."))
    }
}

/// Reads one answer's events.
pub struct SseReader {
    bytes: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    buffer: String,
    /// The status of the answer.
    pub status: u16,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
}

impl std::fmt::Debug for SseReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SseReader").field("status", &self.status).finish_non_exhaustive()
    }
}

impl SseReader {
    /// Reads an answer.
    #[must_use]
    pub fn new(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: Box::pin(response.bytes_stream()),
            buffer: String::new(),
        }
    }

    /// The next event or comment-free block, control frames too; `None` when the answer has ended.
    ///
    /// # Errors
    /// The connection broke, or nothing came while a test waits.
    pub async fn next(&mut self) -> anyhow::Result<Option<SseFrame>> {
        self.next_within(PATIENCE).await
    }

    /// The same with another patience.
    ///
    /// # Errors
    /// As for [`SseReader::next`].
    pub async fn next_within(&mut self, patience: Duration) -> anyhow::Result<Option<SseFrame>> {
        tokio::time::timeout(patience, self.read_frame()).await.context("no event in time")?
    }

    /// The next record: control frames are skipped.
    ///
    /// # Errors
    /// The stream ended before one came.
    pub async fn record(&mut self) -> anyhow::Result<SseFrame> {
        loop {
            match self.next().await? {
                Some(frame) if frame.is_control() => {
                    if frame.event.as_deref() == Some("tidegate.end") {
                        bail!("the stream ended before a record: {}", frame.data);
                    }
                }
                Some(frame) => return Ok(frame),
                None => bail!("the stream ended before a record"),
            }
        }
    }

    /// This many records.
    ///
    /// # Errors
    /// The stream ended before they came.
    pub async fn records(&mut self, count: usize) -> anyhow::Result<Vec<SseFrame>> {
        let mut records = Vec::with_capacity(count);
        while records.len() < count {
            records.push(self.record().await?);
        }
        Ok(records)
    }

    /// The first frame of this name; others on the way are dropped.
    ///
    /// # Errors
    /// The stream ended before it came.
    pub async fn named(&mut self, name: &str) -> anyhow::Result<SseFrame> {
        loop {
            match self.next().await? {
                Some(frame) if frame.event.as_deref() == Some(name) => return Ok(frame),
                Some(_) => {}
                None => bail!("the stream ended before `{name}`"),
            }
        }
    }

    /// Everything up to the end of the answer: the frames, the end's reason last if there was one.
    ///
    /// # Errors
    /// The connection broke, or nothing came while a test waits.
    pub async fn to_end(&mut self) -> anyhow::Result<Vec<SseFrame>> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await? {
            frames.push(frame);
        }
        Ok(frames)
    }

    async fn read_frame(&mut self) -> anyhow::Result<Option<SseFrame>> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                if let Some(frame) = parse(&block) {
                    return Ok(Some(frame));
                }
            }
            match self.bytes.next().await {
                Some(chunk) => self.buffer.push_str(std::str::from_utf8(&chunk?).context("not UTF-8")?),
                None => return Ok(None),
            }
        }
    }
}

/// Our server ends lines with `\n` alone, so the test reader insists on that.
fn parse(block: &str) -> Option<SseFrame> {
    let mut frame = SseFrame::default();
    let mut data: Vec<&str> = Vec::new();
    let mut any = false;
    for line in block.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => frame.id = Some(value.to_owned()),
            "event" => frame.event = Some(value.to_owned()),
            "data" => data.push(value),
            "retry" => frame.retry = value.parse().ok(),
            _ => continue,
        }
        any = true;
    }
    frame.data = data.join("\n");
    any.then_some(frame)
}
