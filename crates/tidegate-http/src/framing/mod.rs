//! Server-sent events on the wire: frames, ids, pings, controls and the end.
//!
//! Owns: the bytes of a frame in each framing, and the rules that keep a record's text from
//! ever becoming another field or another event (WHATWG HTML, section 9.2.6).
//! Must not: read a stream, or know the HTTP server.

mod chunk;
mod cursor;
mod dialect;
mod durable;
mod events;
mod lines;
mod name;

pub(crate) use chunk::{LAST_CHUNK, chunked, push_end, push_size, unchunked};
pub(crate) use cursor::{interval, next_cursor};
pub(crate) use dialect::{
    as_codegen, as_master_mode, cancelled_error, codegen_status, master_mode_status, percent,
};
pub(crate) use durable::{Control, encode_batch, encode_control, encode_data, push_batch, push_control};
pub(crate) use events::{
    Hello, ID_LINE_LEN, encode_end, encode_gap, encode_hello, encode_ping, encode_record, id_line, without_id,
};
pub(crate) use name::event_name;

/// How a record's bytes become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// One JSON value for each record.
    Json,
    /// Text as it is.
    Text,
    /// Anything else, as base64; the answer's head says so.
    Base64,
}

impl Payload {
    /// What the protocol's rules make of a stream's media type.
    pub(crate) fn of(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let is = |want: &str| essence.eq_ignore_ascii_case(want);
        let text = essence.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("text/"));
        if is("application/json") {
            Self::Json
        } else if text {
            Self::Text
        } else {
            Self::Base64
        }
    }
}

#[cfg(test)]
mod parser;
#[cfg(test)]
mod properties;
