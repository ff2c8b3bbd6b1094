//! The framing of the Durable Streams protocol (`live=sse`).
//!
//! Owns: `data` and `control` events; JSON records travel in an array, bytes as base64.
//! Must not: send any other event: clients of the protocol know only these two.

use std::io::Write as _;

use bytes::Bytes;
use tidegate_types::Offset;

use super::Payload;
use super::lines::{push_base64, push_data};

const DATA_HEAD: &[u8] = b"event: data\n";
const CONTROL_HEAD: &[u8] = b"event: control\n";
// The protocol's own examples and its suite put no space after the colon.
const DATA_FIELD: &[u8] = b"data:";

/// What a `control` event needs.
const CONTROL_BYTES: usize = 160;

/// What follows every `data` event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// Where to read on.
    pub(crate) stream_next_offset: Offset,
    /// For caches; left out once the stream has ended.
    pub(crate) stream_cursor: Option<u64>,
    /// Nothing is left to read at this moment.
    pub(crate) up_to_date: bool,
    /// Nothing will ever follow.
    pub(crate) stream_closed: bool,
}

/// One record as one `data` event.
pub(crate) fn encode_data(record: &[u8], payload: Payload) -> Bytes {
    encode_batch(std::iter::once(record), payload)
}

/// Several records as one `data` event; the protocol wants a `control` event after each.
pub(crate) fn encode_batch<'a>(records: impl Iterator<Item = &'a [u8]>, payload: Payload) -> Bytes {
    let mut out = Vec::new();
    push_batch(&mut out, records, payload);
    Bytes::from(out)
}

/// The same, at the end of what is there.
pub(crate) fn push_batch<'a>(out: &mut Vec<u8>, records: impl Iterator<Item = &'a [u8]>, payload: Payload) {
    out.extend_from_slice(DATA_HEAD);
    match payload {
        Payload::Json => push_array(out, records),
        Payload::Text => push_data(out, &join(records), DATA_FIELD),
        // One run of base64: two padded runs joined would not decode.
        Payload::Base64 => push_base64(out, &join(records), DATA_FIELD),
    }
    out.push(b'\n');
}

/// A `control` event.
pub(crate) fn encode_control(control: &Control) -> Bytes {
    let mut out = Vec::with_capacity(CONTROL_BYTES);
    push_control(&mut out, control);
    Bytes::from(out)
}

/// The same, at the end of what is there. Written by hand: digits and words of ours need no escapes.
pub(crate) fn push_control(out: &mut Vec<u8>, control: &Control) {
    out.extend_from_slice(CONTROL_HEAD);
    out.extend_from_slice(DATA_FIELD);
    out.extend_from_slice(b"{\"streamNextOffset\":\"");
    out.extend_from_slice(&control.stream_next_offset.digits());
    out.push(b'"');
    if let Some(cursor) = control.stream_cursor {
        // Writing to memory does not fail.
        let _ = write!(out, ",\"streamCursor\":\"{cursor}\"");
    }
    if control.up_to_date {
        out.extend_from_slice(b",\"upToDate\":true");
    }
    if control.stream_closed {
        out.extend_from_slice(b",\"streamClosed\":true");
    }
    out.extend_from_slice(b"}\n\n");
}

fn push_array<'a>(out: &mut Vec<u8>, records: impl Iterator<Item = &'a [u8]>) {
    // What was reserved for the whole is enough for a part.
    let mut text = Vec::with_capacity(out.capacity() - out.len());
    text.push(b'[');
    for (at, record) in records.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend_from_slice(record);
    }
    text.push(b']');
    push_data(out, &text, DATA_FIELD);
}

fn join<'a>(records: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    records.fold(Vec::new(), |mut all, record| {
        all.extend_from_slice(record);
        all
    })
}
