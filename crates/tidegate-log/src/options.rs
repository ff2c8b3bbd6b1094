//! The log's share of the server's bounds.

use tidegate_types::Limits;

use crate::KeepRule;

/// Bounds of a log.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Records that a live stream keeps in memory for its readers.
    pub ring_records: usize,
    /// Bytes that a live stream keeps in memory for its readers.
    pub ring_bytes: usize,
    /// Writes that wait for the next group commit.
    pub queue_writes: usize,
    /// Bytes that wait for the next group commit.
    pub queue_bytes: usize,
    /// Producers remembered for one stream.
    pub producers_per_stream: usize,
    /// Records of one read.
    pub read_records: usize,
    /// Bytes of one read.
    pub read_bytes: usize,
    /// Streams whose heads are kept in memory for their writers.
    pub heads: usize,
    /// Forks of forks, one after the other.
    pub fork_depth: usize,
    /// What streams keep; the first match wins, and what matches no rule is kept.
    pub keep: Vec<KeepRule>,
    /// Memory of records that were committed and not put with their streams' others yet, where the store
    /// does that later.
    pub journal_bytes: usize,
}

impl LogOptions {
    /// The log's share of all bounds.
    #[must_use]
    pub fn from_limits(limits: &Limits) -> Self {
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            ring_records: size(limits.ring_records),
            ring_bytes: size(limits.ring_bytes),
            queue_writes: size(limits.append_queue),
            queue_bytes: size(limits.append_queue_bytes),
            producers_per_stream: size(limits.producers_per_stream),
            read_records: size(limits.read_records),
            read_bytes: size(limits.read_bytes),
            heads: size(limits.stream_heads),
            fork_depth: size(limits.fork_depth),
            keep: Vec::new(),
            journal_bytes: size(limits.append_journal_bytes),
        }
    }
}

impl Default for LogOptions {
    fn default() -> Self {
        Self::from_limits(&Limits::default())
    }
}
