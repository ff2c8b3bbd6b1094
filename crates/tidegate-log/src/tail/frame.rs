//! One record on its way to many readers.

use std::sync::OnceLock;

use bytes::Bytes;
use tidegate_types::{Offset, Timestamp};

use crate::Record;

/// The shapes that a record takes on a wire. Each is built once per record and shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Framing {
    /// An event of the server's own framing.
    Events = 0,
    /// An event of the Durable Streams framing.
    DurableStreams = 1,
    /// Whatever a reader needs to decide whether a record is for it (an event's type, say).
    Label = 2,
    /// An event in the words of one kind of earlier front end.
    MasterMode = 3,
    /// An event in the words of another.
    Codegen = 4,
}

const FRAMINGS: usize = 5;

/// A record with its encodings.
#[derive(Debug)]
pub struct Frame {
    /// The position AFTER this record.
    pub offset: Offset,
    /// When its commit was made.
    pub at: Timestamp,
    /// Its bytes.
    pub data: Bytes,
    encoded: [OnceLock<Bytes>; FRAMINGS],
}

impl Frame {
    /// A frame of which nothing is encoded yet.
    #[must_use]
    pub fn new(record: Record) -> Self {
        let Record { offset, at, data } = record;
        Self { offset, at, data, encoded: Default::default() }
    }

    /// The record in this framing: encoded by the first reader that asks, shared by all others.
    /// All readers must pass the same function for the same framing.
    pub fn encoded(&self, framing: Framing, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        match self.encoded.get(framing as usize) {
            Some(slot) => slot.get_or_init(|| encode(self)).clone(),
            None => encode(self),
        }
    }
}
