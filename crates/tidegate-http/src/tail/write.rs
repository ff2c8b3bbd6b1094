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
    Control, Hello, ID_LINE_LEN, Payload, as_codegen, as_master_mode, chunked, encode_batch, encode_control,
    encode_data, encode_end, encode_gap, encode_hello, encode_ping, encode_record, id_line, interval,
    unchunked, without_id,
};

/// Records below this are copied together when several go out at once: a chunk of its own costs more.
const SHARED_FROM_BYTES: usize = 1_024;
/// A comment: keeps proxies awake where clients know no ping event.
const HEARTBEAT: &[u8] = b":\n\n";

/// The encoder of one connection.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(super) framing: TailFraming,
    pub(super) payload: Payload,
    pub(super) tag: Option<ResumeTag>,
    pub(super) filter: TypeFilter,
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
            TailFraming::Events | TailFraming::MasterMode { .. } | TailFraming::Codegen => {
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
            TailFraming::Events | TailFraming::MasterMode { .. } | TailFraming::Codegen => {
                self.event_frames(frames)
            }
            TailFraming::DurableStreams { cursor } => {
                let Some(last) = frames.last() else { return Vec::new() };
                let data = match frames {
                    [one] => unchunked(&self.shared(one)),
                    many => encode_batch(many.iter().map(|frame| &frame.data[..]), self.payload),
                };
                vec![data, control(last.offset, cursor, up_to_date, now)]
            }
        }
    }

    /// The reader is at the end and nothing was there to read.
    pub(crate) fn up_to_date(&self, at: Offset, now: Timestamp) -> Option<Bytes> {
        match self.framing {
            TailFraming::Events | TailFraming::MasterMode { .. } | TailFraming::Codegen => None,
            TailFraming::DurableStreams { cursor } => Some(control(at, cursor, true, now)),
        }
    }

    /// What can't be replayed. The protocol's clients have no word for it.
    pub(crate) fn gap(&self, gap: &Gap) -> Option<Bytes> {
        let (from, to, reason) = match gap {
            Gap::Trimmed { from, to } => (*from, *to, "trimmed"),
            Gap::CursorAhead { from, to } => (*from, *to, "cursor-ahead"),
        };
        self.framing.is_events().then(|| encode_gap(from, to, reason))
    }

    /// A sign of life.
    pub(crate) fn ping(&self, now: Timestamp) -> Bytes {
        match self.framing {
            TailFraming::Events | TailFraming::MasterMode { .. } | TailFraming::Codegen => encode_ping(now),
            TailFraming::DurableStreams { .. } => Bytes::from_static(HEARTBEAT),
        }
    }

    /// The last bytes before an intended close.
    pub(crate) fn end(&self, reason: EndReason, at: Offset, retry_ms: Option<u32>) -> Option<Bytes> {
        match self.framing {
            TailFraming::Events | TailFraming::MasterMode { .. } | TailFraming::Codegen => {
                Some(encode_end(reason.as_str(), retry_ms))
            }
            TailFraming::DurableStreams { .. } if reason == EndReason::Eof => {
                let control = Control { stream_next_offset: at, stream_closed: true, ..Control::default() };
                Some(encode_control(&control))
            }
            TailFraming::DurableStreams { .. } => None,
        }
    }

    /// Whether pings go out whatever the traffic: page code watches for them.
    pub(crate) fn pings_always(&self) -> bool {
        self.framing.is_events()
    }

    fn event_frames(&self, frames: &[Arc<Frame>]) -> Vec<Bytes> {
        let alone = frames.len() == 1;
        let mut chunks = Vec::new();
        let mut small = BytesMut::new();
        for frame in frames {
            let encoded = unchunked(&self.shared(frame));
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

    /// Whether an event, without its chunk's framing, is one that this reader wants.
    pub(super) fn passes(&self, encoded: &[u8]) -> bool {
        // The name was found when the record was encoded; it stands behind the id line.
        self.filter.is_open() || self.filter.matches(encoded_name(encoded).unwrap_or("message"))
    }

    /// A record as one chunk, made by the first reader that asks and shared by all others.
    pub(super) fn shared(&self, frame: &Frame) -> Bytes {
        let record = |frame: &Frame, data: &[u8]| chunked(&encode_record(frame.offset, data, self.payload));
        match self.framing {
            TailFraming::Events => frame.encoded(Framing::Events, |frame| record(frame, &frame.data)),
            // Whose it is belongs to the stream, so that all readers of a frame say the same.
            TailFraming::MasterMode { owner } => {
                frame.encoded(Framing::MasterMode, |frame| record(frame, &as_master_mode(&frame.data, owner)))
            }
            TailFraming::Codegen => {
                frame.encoded(Framing::Codegen, |frame| record(frame, &as_codegen(&frame.data)))
            }
            TailFraming::DurableStreams { .. } => frame
                .encoded(Framing::DurableStreams, |frame| chunked(&encode_data(&frame.data, self.payload))),
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
    encode_control(&control_of(at, cursor, up_to_date, now))
}

pub(super) fn control_of(at: Offset, cursor: u64, up_to_date: bool, now: Timestamp) -> Control {
    let stream_cursor = Some(interval(now).max(cursor));
    Control { stream_next_offset: at, stream_cursor, up_to_date, stream_closed: false }
}

fn encoded_name(encoded: &[u8]) -> Option<&str> {
    let (_, fields) = encoded.split_at_checked(ID_LINE_LEN)?;
    let named = fields.strip_prefix(b"event: ")?;
    let end = named.iter().position(|byte| *byte == b'\n')?;
    std::str::from_utf8(named.get(..end)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_log::Record;
    use tidegate_types::OsEntropy;

    const NOW: Timestamp = Timestamp::from_millis(1_763_690_000_000);

    fn frames(records: &[&str]) -> Vec<Arc<Frame>> {
        let record = |(at, text): (usize, &&str)| Record {
            offset: Offset::new(at as u64 + 1).unwrap(),
            at: NOW,
            data: Bytes::copy_from_slice(text.as_bytes()),
        };
        records.iter().enumerate().map(record).map(|record| Arc::new(Frame::new(record))).collect()
    }

    fn writer(tag: Option<ResumeTag>, filter: &str) -> Writer {
        let filter = if filter.is_empty() { TypeFilter::default() } else { filter.parse().unwrap() };
        Writer::new(TailFraming::Events, "application/json", tag, filter)
    }

    fn text(chunks: &[Bytes]) -> String {
        String::from_utf8(chunks.concat()).unwrap()
    }

    #[test]
    fn one_record_is_shared_between_all_readers() {
        let frames = frames(&[r#"{"type":"a"}"#]);
        let plain = writer(None, "").frames(&frames, true, NOW);
        let again = writer(None, "").frames(&frames, true, NOW);
        let filled = |chunks: &[Bytes]| chunks.iter().find(|c| !c.is_empty()).unwrap().as_ptr();
        assert_eq!(filled(&plain), filled(&again));
        assert_eq!(text(&plain), "id: 0000000000000001\nevent: a\ndata: {\"type\":\"a\"}\n\n");
    }

    #[test]
    fn a_ticket_connection_writes_its_tag_before_the_shared_body() {
        let tag = ResumeTag::generate(&OsEntropy);
        let frames = frames(&[r#"{"type":"a"}"#]);
        let tagged = writer(Some(tag.clone()), "").frames(&frames, true, NOW);
        let plain = writer(None, "").frames(&frames, true, NOW);
        let expected =
            format!("id: 0000000000000001.{}\nevent: a\ndata: {{\"type\":\"a\"}}\n\n", tag.reveal());
        assert_eq!(text(&tagged), expected);
        let body = tagged.last().unwrap();
        let body = if body.is_empty() { &tagged[tagged.len() - 2] } else { body };
        let whole = plain.iter().find(|c| !c.is_empty()).unwrap();
        assert_eq!(body.as_ptr(), whole[21..].as_ptr(), "the body was copied");
    }

    #[test]
    fn small_records_go_out_in_one_chunk_and_large_ones_are_not_copied() {
        let large = format!("\"{}\"", "x".repeat(5_000));
        let frames = frames(&["1", "2", &large, "3"]);
        let chunks: Vec<Bytes> = writer(None, "").frames(&frames, true, NOW);
        assert_eq!(chunks.iter().filter(|c| !c.is_empty()).count(), 3);
        assert_eq!(text(&chunks).matches("id: ").count(), 4);
    }

    #[test]
    fn a_filter_lets_named_types_through_and_items_without_a_type_are_messages() {
        let frames = frames(&[r#"{"type":"task.done"}"#, r#"{"type":"novel.created"}"#, r#"{"n":1}"#]);
        let seen =
            |filter: &str| text(&writer(None, filter).frames(&frames, true, NOW)).matches("data: ").count();
        assert_eq!(seen("task.*"), 1);
        assert_eq!(seen("task.*,novel.created"), 2);
        assert_eq!(seen("message"), 1);
        assert_eq!(seen(""), 3);
    }

    #[test]
    fn the_protocol_gets_one_data_and_one_control_event_for_a_batch() {
        let framing = TailFraming::DurableStreams { cursor: 7 };
        let writer = Writer::new(framing, "application/json", None, TypeFilter::default());
        let text = text(&writer.frames(&frames(&["1", "2"]), true, NOW));
        assert!(text.starts_with("event: data\ndata:[1,2]\n\nevent: control\n"), "{text}");
        assert_eq!(text.matches("event: ").count(), 2);
        assert!(text.contains("\"streamNextOffset\":\"0000000000000002\""));
    }
}
