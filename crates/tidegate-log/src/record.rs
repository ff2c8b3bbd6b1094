//! What a reader gets.

use bytes::Bytes;
use tidegate_types::{Offset, Timestamp};

use crate::StreamInfo;

/// One record of a stream; immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The position AFTER this record.
    pub offset: Offset,
    /// When its commit was made.
    pub at: Timestamp,
    /// Its bytes; in a JSON stream one JSON value as it was sent.
    pub data: Bytes,
}

/// How much one read may return. A single record larger than `bytes` is returned alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadBound {
    /// Records at most; zero reads as one.
    pub records: usize,
    /// Bytes of records at most.
    pub bytes: usize,
}

/// A range that a reader asked for and can't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The records in `from..to` were trimmed; reading goes on at `to`.
    Trimmed {
        /// Where the reader stood.
        from: Offset,
        /// Where it stands now.
        to: Offset,
    },
    /// The reader's cursor `from` lies after the tail, as after a restore; it goes on at `to`.
    CursorAhead {
        /// Where the reader stood.
        from: Offset,
        /// Where it stands now.
        to: Offset,
    },
}

/// One read of a stream.
#[derive(Clone, Debug)]
pub struct Page {
    /// The stream at the time of the read.
    pub info: StreamInfo,
    /// Where the read began, after a gap was skipped.
    pub from: Offset,
    /// What could not be read.
    pub gap: Option<Gap>,
    /// The records, in order and without holes.
    pub records: Vec<Record>,
    /// Where to read on.
    pub next: Offset,
    /// Whether `next` was the tail.
    pub up_to_date: bool,
    /// Whether the stream is closed and `next` is its end: there will never be more.
    pub closed: bool,
}
