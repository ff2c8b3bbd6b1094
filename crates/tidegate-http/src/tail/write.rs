//! From steps of a stream to chunks of an answer.
//!
//! Owns: what is shared (a record is encoded once for all its readers) and what is a connection's
//! own (id lines with a tag, controls, pings, the end).
//! Must not: copy a large record: its bytes are shared by reference.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tidegate_events::TypeFilter;
use tidegate_gate::EndReason;
use tidegate_log::{Frame, Framing, Gap};
use tidegate_types::{Offset, ResumeTag, StreamPath, Timestamp};

use super::TailFraming;
use crate::framing::{
    Control, Hello, ID_LINE_LEN, Payload, encode_batch, encode_control, encode_data, encode_end, encode_gap,
    encode_hello, encode_ping, encode_record, id_line, interval, without_id,
};

/// Records below this are copied together when several go out at once: a chunk of its own costs more.
const SHARED_FROM_BYTES: usize = 1_024;
/// A comment: keeps proxies awake where clients know no ping event.
const HEARTBEAT: &[u8] = b":\n\n";

/// The encoder of one connection.
#[derive(Debug)]
pub(super) struct Writer {
    framing: TailFraming,
    payload: Payload,
    tag: Option<ResumeTag>,
    filter: TypeFilter,
}

impl Writer {
    pub(super) fn new(
        framing: TailFraming,
        content_type: &str,
        tag: Option<ResumeTag>,
        filter: TypeFilter,
    ) -> Self {
        Self { framing, payload: Payload::of(content_type), tag, filter }
    }

    /// The first bytes; the protocol's own framing has none.
    pub(super) fn hello(&self, path: &StreamPath, at: Offset, up_to_date: bool, greeting: Greeting) -> Bytes {
        match self.framing {
            TailFraming::Events => {
                let hello = Hello { stream: path, up_to_date, ping_seconds: greeting.ping_seconds };
                encode_hello(&hello, at, self.tag.as_ref(), greeting.retry_ms)
            }
            // A comment, so that the first byte does not wait for the first record.
            TailFraming::DurableStreams { .. } => Bytes::from_static(HEARTBEAT),
        }
    }

    /// Records, and whether they are all that there is.
    pub(super) fn frames(&self, frames: &[Arc<Frame>], up_to_date: bool, now: Timestamp) -> Vec<Bytes> {
        match self.framing {
            TailFraming::Events => self.event_frames(frames),
            TailFraming::DurableStreams { cursor } => {
                let Some(last) = frames.last() else { return Vec::new() };
                let data = match frames {
                    [one] => self.shared(one),
                    many => encode_batch(many.iter().map(|frame| &frame.data[..]), self.payload),
                };
                vec![data, control(last.offset, cursor, up_to_date, now)]
            }
        }
    }

    /// The reader is at the end and nothing was there to read.
    pub(super) fn up_to_date(&self, at: Offset, now: Timestamp) -> Option<Bytes> {
        match self.framing {
            TailFraming::Events => None,
            TailFraming::DurableStreams { cursor } => Some(control(at, cursor, true, now)),
        }
    }

    /// What can't be replayed. The protocol's clients have no word for it.
    pub(super) fn gap(&self, gap: &Gap) -> Option<Bytes> {
        let (from, to, reason) = match gap {
            Gap::Trimmed { from, to } => (*from, *to, "trimmed"),
            Gap::CursorAhead { from, to } => (*from, *to, "cursor-ahead"),
        };
        (self.framing == TailFraming::Events).then(|| encode_gap(from, to, reason))
    }

    /// A sign of life.
    pub(super) fn ping(&self, now: Timestamp) -> Bytes {
        match self.framing {
            TailFraming::Events => encode_ping(now),
            TailFraming::DurableStreams { .. } => Bytes::from_static(HEARTBEAT),
        }
    }

    /// The last bytes before an intended close.
    pub(super) fn end(&self, reason: EndReason, at: Offset, retry_ms: Option<u32>) -> Option<Bytes> {
        match self.framing {
            TailFraming::Events => Some(encode_end(reason.as_str(), retry_ms)),
            TailFraming::DurableStreams { .. } if reason == EndReason::Eof => {
                let control = Control { stream_next_offset: at, stream_closed: true, ..Control::default() };
                Some(encode_control(&control))
            }
            TailFraming::DurableStreams { .. } => None,
        }
    }

    /// Whether pings go out whatever the traffic: page code watches for them.
    pub(super) fn pings_always(&self) -> bool {
        self.framing == TailFraming::Events
    }

    fn event_frames(&self, frames: &[Arc<Frame>]) -> Vec<Bytes> {
        let alone = frames.len() == 1;
        let mut chunks = Vec::new();
        let mut small = BytesMut::new();
        for frame in frames {
            let encoded = self.shared(frame);
            if !self.passes(&encoded) {
                continue;
            }
            let own = self.tag.as_ref().map(|tag| id_line(frame.offset, Some(tag)));
            let body = if own.is_some() { without_id(&encoded) } else { encoded };
            if !alone && body.len() < SHARED_FROM_BYTES {
                small.extend_from_slice(own.as_deref().unwrap_or_default());
                small.extend_from_slice(&body);
            } else {
                chunks.push(small.split().freeze());
                chunks.extend(own);
                chunks.push(body);
            }
        }
        chunks.push(small.freeze());
        chunks
    }

    fn passes(&self, encoded: &Bytes) -> bool {
        // The name was found when the record was encoded; it stands behind the id line.
        self.filter.is_open() || self.filter.matches(encoded_name(encoded).unwrap_or("message"))
    }

    fn shared(&self, frame: &Frame) -> Bytes {
        match self.framing {
            TailFraming::Events => {
                frame.encoded(Framing::Events, |frame| encode_record(frame.offset, &frame.data, self.payload))
            }
            TailFraming::DurableStreams { .. } => {
                frame.encoded(Framing::DurableStreams, |frame| encode_data(&frame.data, self.payload))
            }
        }
    }
}

/// What `hello` tells the client about timing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greeting {
    pub(super) ping_seconds: u64,
    pub(super) retry_ms: u32,
}

fn control(at: Offset, cursor: u64, up_to_date: bool, now: Timestamp) -> Bytes {
    let cursor = interval(now).max(cursor);
    let cursor = Some(cursor.to_string());
    encode_control(&Control {
        stream_next_offset: at,
        stream_cursor: cursor,
        up_to_date,
        stream_closed: false,
    })
}

fn encoded_name(encoded: &[u8]) -> Option<&str> {
    let (_, fields) = encoded.split_at_checked(ID_LINE_LEN)?;
    let named = fields.strip_prefix(b"event: ")?;
    let end = named.iter().position(|byte| *byte == b'\n')?;
    std::str::from_utf8(named.get(..end)?).ok()
}
