//! What a writer says and hears.

use bytes::Bytes;
use tidegate_types::{Offset, Timestamp};

/// The writer's own numbering, which makes a repeated append harmless and fences a stale writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// The writer's name within the stream.
    pub id: String,
    /// Its incarnation: a higher one takes over, a lower one is refused.
    pub epoch: u64,
    /// The number of this append within the epoch, from zero, without gaps.
    pub seq: u64,
}

/// One durable write: all of its records or none.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// The records, in order. May be empty only when closing.
    pub records: Vec<Bytes>,
    /// The media type, if it is to be checked against the stream's.
    pub content_type: Option<String>,
    /// `Stream-Seq`: must rise bytewise from append to append.
    pub seq: Option<String>,
    /// The writer's own numbering.
    pub producer: Option<Producer>,
    /// Close the stream in the same commit.
    pub close: bool,
    /// Refuse unless the stream ends exactly here.
    pub expect_tail: Option<Offset>,
}

impl Append {
    /// An append of one record with nothing to check.
    #[must_use]
    pub fn one(record: impl Into<Bytes>) -> Self {
        Self { records: vec![record.into()], ..Self::default() }
    }

    /// An append of many records with nothing to check.
    #[must_use]
    pub fn batch(records: Vec<Bytes>) -> Self {
        Self { records, ..Self::default() }
    }

    /// Closing without a last record.
    #[must_use]
    pub fn close() -> Self {
        Self { close: true, ..Self::default() }
    }
}

/// Where a producer stands after an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerAck {
    /// The epoch that is in force.
    pub epoch: u64,
    /// The highest sequence number that was accepted in it.
    pub seq: u64,
}

/// The answer to an append, given after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position before its first record. For a duplicate this is the present tail: where the
    /// first writing stands is not kept.
    pub first: Offset,
    /// The position after its last record.
    pub tail: Offset,
    /// Whether an earlier append with the same numbers had written it; nothing was written now.
    pub duplicate: bool,
    /// Whether the stream is closed now.
    pub closed: bool,
    /// Where the producer stands, if one was named.
    pub producer: Option<ProducerAck>,
    /// The time that its records carry.
    pub at: Timestamp,
}
