//! The pen of one answer: parts in, few commits out.
//!
//! Rule: text that comes in quick succession goes out together, at most one commit each 50 ms, in
//! order with everything else; the first words go out at once. The 50 ms count from the beginning of a
//! commit, so its own time is not added to the wait; one commit is under way at a time, so a slow disk
//! still gets fewer of them.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tidegate_log::{Append, AppendError, Log};
use tidegate_types::{Offset, StreamPath};
use tokio::time::{Instant, sleep};

use super::error::ConversationsError;
use super::event::{Projection, TurnEvent, hex_sha256};
use super::mend::error_event;
use crate::answer::{AnswerFailed, Part};

/// The least time between two commits of one answer.
const EVERY: Duration = Duration::from_millis(50);
/// Bytes that wait for a commit before the answerer is held back.
const PENDING_BYTES: usize = 65_536;
/// How long to wait before each further try of a write that failed.
const TRIES: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];

/// Why nothing more can be written.
#[derive(Debug)]
pub(super) enum WriteFailed {
    /// The stream is gone or closed: nobody waits for this answer.
    Gone,
    /// Storage failed, again and again.
    Storage(ConversationsError),
}

/// The text is as long as an answer may be.
#[derive(Debug)]
pub(super) struct TooLong;

pub(super) struct Writer {
    log: Log,
    path: StreamPath,
    number: u32,
    answer_bytes: usize,
    /// What was appended.
    said: Projection,
    offset: Offset,
    pending: Vec<TurnEvent>,
    pending_bytes: usize,
    taken_bytes: usize,
    last: Option<Instant>,
}

impl Writer {
    pub(super) fn new(log: Log, path: StreamPath, number: u32, answer_bytes: usize) -> Self {
        Self {
            log,
            path,
            number,
            answer_bytes,
            said: Projection::default(),
            offset: Offset::START,
            pending: Vec::new(),
            pending_bytes: 0,
            taken_bytes: 0,
            last: None,
        }
    }

    /// Takes a part; it is written by the next flush.
    pub(super) fn take(&mut self, part: Part) -> Result<(), TooLong> {
        match part {
            Part::Citation(citation) => {
                self.pending_bytes = self.pending_bytes.saturating_add(citation.quote.len());
                self.pending.push(TurnEvent::Citation(citation));
                Ok(())
            }
            Part::Text(text) => self.take_text(text),
        }
    }

    fn take_text(&mut self, mut text: String) -> Result<(), TooLong> {
        let left = self.answer_bytes.saturating_sub(self.taken_bytes);
        let fits = text.len() <= left;
        text.truncate(text.floor_char_boundary(left));
        self.taken_bytes = self.taken_bytes.saturating_add(text.len());
        self.pending_bytes = self.pending_bytes.saturating_add(text.len());
        match self.pending.last_mut() {
            _ if text.is_empty() => {}
            Some(TurnEvent::Delta { text: before }) => before.push_str(&text),
            _ => self.pending.push(TurnEvent::Delta { text }),
        }
        if fits { Ok(()) } else { Err(TooLong) }
    }

    /// Whether more may be taken before the next flush.
    pub(super) const fn has_room(&self) -> bool {
        self.pending_bytes < PENDING_BYTES
    }

    /// When the next flush is due; `None` when nothing waits.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.pending.is_empty() {
            return None;
        }
        Some(self.last.map_or_else(Instant::now, |last| last + EVERY))
    }

    /// Writes what waits.
    pub(super) async fn flush(&mut self) -> Result<(), WriteFailed> {
        self.append(None).await
    }

    /// The last record of an answer that is whole, or was stopped.
    pub(super) async fn done(&mut self, usage: Value, stopped: bool) -> Result<(), WriteFailed> {
        let text = self.text();
        let done = TurnEvent::Done {
            turn_id: self.number.to_string(),
            text_sha256: hex_sha256(&text),
            length: text.len(),
            usage,
            stopped,
        };
        self.append(Some(done)).await
    }

    /// The last record of an answer that failed.
    pub(super) async fn failed(&mut self, failed: &AnswerFailed) -> Result<(), WriteFailed> {
        let event = error_event(self.number, &self.text(), failed);
        self.append(Some(event)).await
    }

    /// What was written.
    pub(super) fn into_said(self) -> (Projection, Offset) {
        (self.said, self.offset)
    }

    fn text(&self) -> String {
        let mut text = self.said.answer.clone();
        for event in &self.pending {
            if let TurnEvent::Delta { text: more } = event {
                text.push_str(more);
            }
        }
        text
    }

    async fn append(&mut self, end: Option<TurnEvent>) -> Result<(), WriteFailed> {
        let close = end.is_some();
        let mut events = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        events.extend(end);
        if events.is_empty() {
            return Ok(());
        }
        let records: Result<Vec<Bytes>, _> = events.iter().map(TurnEvent::encode).collect();
        let records = records.map_err(|error| WriteFailed::Storage(ConversationsError::internal(&error)))?;
        self.last = Some(Instant::now());
        let tail = self.append_patiently(Append { records, close, ..Append::default() }).await?;
        self.offset = tail;
        events.into_iter().for_each(|event| self.said.add(event));
        Ok(())
    }

    async fn append_patiently(&self, append: Append) -> Result<Offset, WriteFailed> {
        let mut waits = TRIES.into_iter();
        loop {
            let error = match self.log.append(&self.path, append.clone()).await {
                Ok(appended) => return Ok(appended.tail),
                Err(AppendError::NotFound | AppendError::Closed { .. }) => return Err(WriteFailed::Gone),
                Err(error) => error,
            };
            let Some(wait) = waits.next() else { return Err(WriteFailed::Storage(error.into())) };
            sleep(wait).await;
        }
    }
}
