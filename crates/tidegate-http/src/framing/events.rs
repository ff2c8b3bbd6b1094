//! The events framing: section 6 of the contract.
//!
//! Owns: `tidegate.hello`, records, `ping`, `tidegate.gap` and `tidegate.end`.
//! Must not: give a control event an id (but hello), since a reader would resume from it.

use bytes::Bytes;
use serde::Serialize;
use tidegate_types::{Offset, ResumeTag, StreamPath, Timestamp};

use super::Payload;
use super::lines::{push_base64, push_data};
use super::name::event_name;

const ID_FIELD: &[u8] = b"id: ";
const DATA_FIELD: &[u8] = b"data: ";
/// `id: `, sixteen digits and the line's end: the head of every encoded record.
pub(crate) const ID_LINE_LEN: usize = 21;

/// What a hello takes at least with a path of some length.
const HELLO_BYTES: usize = 256;

/// What the first frame of a connection says.
#[derive(Debug, Serialize)]
pub(crate) struct Hello<'a> {
    /// The stream's path.
    pub(crate) stream: &'a StreamPath,
    /// Whether nothing is left to read at this moment.
    pub(crate) up_to_date: bool,
    /// Seconds between two pings.
    pub(crate) ping_seconds: u64,
}

#[derive(Serialize)]
struct Ping {
    timestamp: f64,
}

#[derive(Serialize)]
struct End<'a> {
    reason: &'a str,
}

#[derive(Serialize)]
struct GapData<'a> {
    from: Offset,
    to: Offset,
    reason: &'a str,
}

/// A record with its plain id line first, so that a ticket connection can put its own there instead
/// ([`without_id`]) and share the rest.
pub(crate) fn encode_record(offset: Offset, data: &[u8], payload: Payload) -> Bytes {
    let mut out = Vec::with_capacity(data.len().saturating_add(96));
    out.extend_from_slice(&id_line(offset, None));
    if payload == Payload::Json
        && let Some(name) = event_name(data)
    {
        push_field(&mut out, b"event: ", name.as_bytes());
    }
    match payload {
        Payload::Json | Payload::Text => push_data(&mut out, data, DATA_FIELD),
        Payload::Base64 => push_base64(&mut out, data, DATA_FIELD),
    }
    out.push(b'\n');
    Bytes::from(out)
}

/// The part of an encoded record that all connections share.
pub(crate) fn without_id(record: &Bytes) -> Bytes {
    record.slice(ID_LINE_LEN.min(record.len())..)
}

/// The id line of one connection.
pub(crate) fn id_line(offset: Offset, tag: Option<&ResumeTag>) -> Bytes {
    let mut out = Vec::with_capacity(ID_LINE_LEN + 24);
    push_id_line(&mut out, offset, tag);
    Bytes::from(out)
}

fn push_id_line(out: &mut Vec<u8>, offset: Offset, tag: Option<&ResumeTag>) {
    out.extend_from_slice(ID_FIELD);
    out.extend_from_slice(&offset.digits());
    if let Some(tag) = tag {
        out.push(b'.');
        out.extend_from_slice(tag.reveal().as_bytes());
    }
    out.push(b'\n');
}

/// The first frame: always with data, since some browsers ignore an id without any.
pub(crate) fn encode_hello(hello: &Hello<'_>, at: Offset, tag: Option<&ResumeTag>, retry_ms: u32) -> Bytes {
    let mut out = Vec::with_capacity(HELLO_BYTES);
    out.extend_from_slice(b"event: tidegate.hello\n");
    push_id_line(&mut out, at, tag);
    push_field(&mut out, b"retry: ", retry_ms.to_string().as_bytes());
    push_json(&mut out, hello);
    Bytes::from(out)
}

/// A ping: an event, not a comment, because page code watches for it.
pub(crate) fn encode_ping(now: Timestamp) -> Bytes {
    let mut out = b"event: ping\n".to_vec();
    push_json(&mut out, &Ping { timestamp: now.as_secs_f64() });
    Bytes::from(out)
}

/// Names what can't be replayed.
pub(crate) fn encode_gap(from: Offset, to: Offset, reason: &str) -> Bytes {
    let mut out = b"event: tidegate.gap\n".to_vec();
    push_json(&mut out, &GapData { from, to, reason });
    Bytes::from(out)
}

/// The last frame before a close that the server intends; `retry_ms` spreads the herd.
pub(crate) fn encode_end(reason: &str, retry_ms: Option<u32>) -> Bytes {
    let mut out = b"event: tidegate.end\n".to_vec();
    if let Some(retry_ms) = retry_ms {
        push_field(&mut out, b"retry: ", retry_ms.to_string().as_bytes());
    }
    push_json(&mut out, &End { reason });
    Bytes::from(out)
}

fn push_field(out: &mut Vec<u8>, field: &[u8], value: &[u8]) {
    out.extend_from_slice(field);
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn push_json(out: &mut Vec<u8>, value: &impl Serialize) {
    out.extend_from_slice(DATA_FIELD);
    let empty = out.len();
    // Small structs of strings and numbers always serialise; JSON text holds no raw line end.
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(empty);
        out.extend_from_slice(b"{}");
    }
    out.extend_from_slice(b"\n\n");
}
