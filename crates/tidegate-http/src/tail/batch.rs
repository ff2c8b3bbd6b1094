//! What goes out in one write: the records between two positions, as chunks, made once for all
//! readers at the same place who read them in the same words.
//!
//! Owns: the bytes, where a ticket connection's tag goes, and where one record ends and the next begins.
//! Must not: hold anything that belongs to one reader. Tags are put in while the bytes go out.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_log::Frame;
use tidegate_types::{Offset, ResumeTag, Timestamp};

use super::TailFraming;
use super::write::{Writer, control_of};
use crate::framing::{
    ID_LINE_LEN, chunked, interval, push_batch, push_control, push_end, push_size, unchunked,
};

/// What a batch in the protocol's framing has around its records.
const AROUND_A_BATCH: usize = 256;
/// What an event has around its record: id and tag, a name, field names, the chunk's framing.
const AROUND_A_RECORD: usize = 128;

/// What readers must have in common to share a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    framing: TailFraming,
    /// Zero without a tag.
    tag_len: usize,
}

/// Records in a row, ready to be written.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The position before the first record.
    pub(crate) from: Offset,
    /// The position after the last.
    pub(crate) to: Offset,
    /// How many records that is, those included that a filter held back.
    pub(crate) records: u64,
    style: Style,
    /// Whether this was everything there was when it was made.
    up_to_date: bool,
    bytes: Bytes,
    tags: Vec<usize>,
    /// Behind each record: where its bytes end, and the position after it.
    ends: Vec<(usize, Offset)>,
}

impl Batch {
    /// Whether a reader of this style, at this place of a stream that reaches to `tail`, may be
    /// sent this one. What has come since should go out with it, unless it was full anyway.
    pub(crate) fn fits(&self, from: Offset, style: Style, tail: Offset) -> bool {
        self.from == from && self.style == style && (!self.up_to_date || self.to == tail)
    }

    /// The bytes for one reader; put together in `scratch` if it has a tag.
    pub(crate) fn bytes_for<'a>(&'a self, writer: &Writer, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let (Some(tag), false) = (&writer.tag, self.tags.is_empty()) else { return &self.bytes };
        let tag = tag.reveal().as_bytes();
        scratch.clear();
        scratch.extend_from_slice(&self.bytes);
        for at in &self.tags {
            if let Some(place) = scratch.get_mut(*at..at + tag.len()) {
                place.copy_from_slice(tag);
            }
        }
        scratch
    }

    /// How a reader goes on that took only `written` bytes: the record that was cut ends there, and
    /// reading goes on after it. No rest if the cut lies between two records.
    pub(crate) fn cut(&self, written: usize, bytes: &[u8]) -> (Bytes, Offset) {
        let mut before = (0, self.from);
        for (end, after) in &self.ends {
            if *end > written {
                break;
            }
            before = (*end, *after);
        }
        if before.0 == written {
            return (Bytes::new(), before.1);
        }
        let cut = self.ends.iter().find(|(end, _)| *end > written).copied().unwrap_or((bytes.len(), self.to));
        let rest = bytes.get(written..cut.0).unwrap_or_default();
        // A rest that is most of the batch keeps it alive; a small one is worth its own copy.
        if self.tags.is_empty() && rest.len() > self.bytes.len() / 2 {
            return (self.bytes.slice(written..cut.0), cut.1);
        }
        (Bytes::copy_from_slice(rest), cut.1)
    }
}

impl Writer {
    /// What this reader must share with another to be sent the same batch.
    pub(crate) fn style(&self, now: Timestamp) -> Style {
        let framing = match self.framing {
            TailFraming::DurableStreams { cursor } => {
                TailFraming::DurableStreams { cursor: interval(now).max(cursor) }
            }
            other => other,
        };
        Style { framing, tag_len: self.tag.as_ref().map_or(0, |tag| tag.reveal().len()) }
    }

    /// Whether its batches may be sent to others: a filter is one reader's own.
    pub(crate) fn shares(&self) -> bool {
        self.filter.is_open()
    }

    /// Puts records into one batch.
    pub(crate) fn batch(&self, frames: &[Arc<Frame>], up_to_date: bool, now: Timestamp) -> Option<Batch> {
        let (first, last) = (frames.first()?, frames.last()?);
        let mut batch = Batch {
            from: Offset::new(first.offset.get().saturating_sub(1))?,
            to: last.offset,
            records: frames.len() as u64,
            style: self.style(now),
            up_to_date,
            bytes: Bytes::new(),
            tags: Vec::new(),
            ends: Vec::new(),
        };
        match self.framing {
            TailFraming::DurableStreams { cursor } => {
                let records = frames.iter().map(|frame| &frame.data[..]);
                let bytes = frames.iter().map(|frame| frame.data.len() + 1).sum::<usize>();
                let mut body = Vec::with_capacity(bytes + AROUND_A_BATCH);
                push_batch(&mut body, records, self.payload);
                push_control(&mut body, &control_of(last.offset, cursor, up_to_date, now));
                batch.bytes = chunked(&body);
                batch.ends.push((batch.bytes.len(), last.offset));
            }
            TailFraming::Events | TailFraming::MasterMode { .. } | TailFraming::Codegen => {
                self.put_events(&mut batch, frames);
            }
        }
        Some(batch)
    }

    fn put_events(&self, batch: &mut Batch, frames: &[Arc<Frame>]) {
        if let ([one], None, true) = (frames, &self.tag, self.shares()) {
            batch.bytes = self.shared(one);
            batch.ends.push((batch.bytes.len(), one.offset));
            return;
        }
        let around = frames.len().saturating_mul(AROUND_A_RECORD);
        let mut out = Vec::with_capacity(frames.iter().map(|frame| frame.data.len()).sum::<usize>() + around);
        for frame in frames {
            let chunk = self.shared(frame);
            let event = unchunked(&chunk);
            if !self.passes(&event) {
                continue;
            }
            match &self.tag {
                None => out.extend_from_slice(&chunk),
                Some(tag) => batch.tags.push(push_tagged(&mut out, &event, tag)),
            }
            batch.ends.push((out.len(), frame.offset));
        }
        batch.bytes = Bytes::from(out);
    }
}

/// Appends an event with room for a tag behind its id, and answers where that is.
fn push_tagged(out: &mut Vec<u8>, event: &[u8], tag: &ResumeTag) -> usize {
    let room = tag.reveal().len();
    let (id, rest) = event.split_at_checked(ID_LINE_LEN - 1).unwrap_or((event, &[]));
    push_size(out, event.len() + 1 + room);
    out.extend_from_slice(id);
    out.push(b'.');
    let at = out.len();
    out.resize(at + room, b'-');
    out.extend_from_slice(rest);
    push_end(out);
    at
}
