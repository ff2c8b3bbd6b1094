//! Where streams are kept: one small object-safe trait, and what crosses it.
//!
//! Owns: the shape of stored streams and chunks. Must not: decide whether a write is allowed;
//! the log plans every write against stream heads (`commit`), a store only loads and writes.

pub(crate) mod codec;
#[cfg(feature = "suite")]
mod faulty;
pub(crate) mod sqlite;
mod varint;

#[cfg(feature = "suite")]
pub use self::faulty::{Fault, FaultyStore};

use std::sync::Arc;

use bytes::Bytes;
use tidegate_db::DbError;
use tidegate_types::{Offset, StreamPath, Timestamp};

use crate::{Fork, LogError, StreamId, StreamInfo};

/// A store of streams. Reads see every commit that was answered before they began.
#[async_trait::async_trait]
pub trait LogStore: Send + Sync + std::fmt::Debug + 'static {
    /// Hands over a group of writes; never blocks. When the store is ready to write it calls
    /// [`Group::begin`] and [`Group::plan`], applies the planned writes in one transaction, and after the
    /// commit [`Group::done`], before any later group begins another transaction. Groups are
    /// applied in the order in which they were handed over.
    fn commit(&self, group: Box<dyn Group>);

    /// The stream at a path, expired or not, or deleted and kept for its forks.
    async fn lookup(&self, path: &StreamPath) -> Result<Option<Stored>, LogError>;

    /// Streams whose path begins with `prefix`, by path, after `after`, expired or not.
    async fn list(
        &self,
        prefix: &str,
        after: Option<&StreamPath>,
        limit: usize,
    ) -> Result<Vec<Stored>, LogError>;

    /// The stream and its chunks from a position on, of one moment.
    async fn read(&self, query: ReadQuery) -> Result<Option<Found>, LogError>;

    /// Streams whose deadline has passed, the earliest first, and the next deadline after them.
    async fn list_due(&self, now: Timestamp, limit: usize) -> Result<Due, LogError>;

    /// The end of what a stream is not to keep, by age and size; what a fork inherits counts as its own.
    /// `None`: nothing.
    async fn find_cut(&self, query: CutQuery) -> Result<Option<Offset>, LogError>;

    /// Removes chunks that nobody can read any more, not even through a fork, at most about `chunks`. Answers
    /// whether more are left.
    async fn purge(&self, chunks: usize) -> Result<bool, LogError>;

    /// Does a bounded part of what commits that were made up to `before` left for later. Answers whether more
    /// is left. Changes nothing that anybody can see.
    async fn merge(&self, before: Timestamp) -> Result<bool, LogError>;
}

/// Writes that are committed together. The log implements it, stores call it.
pub trait Group: Send + 'static {
    /// Takes what waits, and says what must be loaded before it can be planned.
    fn begin(&mut self) -> Needs;

    /// Plans the writes. Called once, after `begin`, with what was asked for.
    ///
    /// # Errors
    /// Nothing is to be written; the store rolls back.
    fn plan(&mut self, loaded: Loaded) -> Result<Vec<Write>, DbError>;

    /// Called at once when loading, planning or writing failed, before any later group begins.
    fn rolled_back(&mut self);

    /// Called exactly once, at the end, even if `begin` never was.
    fn done(self: Box<Self>, outcome: Result<(), DbError>);
}

/// What a group needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The heads to load.
    pub heads: Vec<HeadNeed>,
    /// How many new stream ids may be used.
    pub new_streams: usize,
}

/// One head to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadNeed {
    /// The stream's path.
    pub path: StreamPath,
    /// The producers whose state is wanted.
    pub producers: Vec<String>,
}

/// What was loaded, in the order of [`Needs::heads`].
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Each wanted head, or `None` where no stream is, not even a deleted one that forks still read.
    pub heads: Vec<Option<StoredHead>>,
    /// The first of the new stream ids; the following ones are free too.
    pub first_new_id: i64,
}

/// A stream as its store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The stream.
    pub info: StreamInfo,
    /// When it ends unless it is renewed.
    pub deadline: Option<Timestamp>,
    /// Where its inherited records are, if it is a fork.
    pub fork: Option<Arc<Fork>>,
    /// How many forks point at it. A writer may know too many, never too few.
    pub forks: u64,
    /// Whether it was deleted and only its forks still read it. It holds its path until they are gone.
    pub gone: bool,
}

/// What a writer needs to know of a stream.
#[derive(Clone, Debug)]
pub struct StoredHead {
    /// The stream.
    pub stored: Stored,
    /// The last `Stream-Seq`.
    pub last_seq: Option<String>,
    /// The wanted producers, in the order in which they were asked for.
    pub producers: Vec<Option<ProducerState>>,
}

/// Where a producer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerState {
    /// The epoch in force.
    pub epoch: u64,
    /// The highest sequence number accepted in it.
    pub last_seq: u64,
}

/// One planned write. They are applied in order.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new stream; its own records follow as chunks. If it is a fork, one more points at its source.
    Insert(Stored),
    /// Records.
    Chunk {
        /// The stream.
        id: StreamId,
        /// They and their place.
        chunk: Chunk,
    },
    /// The last `Stream-Seq`.
    Seq {
        /// The stream.
        id: StreamId,
        /// It.
        last_seq: String,
    },
    /// The parts of a head that change seldom.
    Head {
        /// The stream.
        id: StreamId,
        /// Whether it is closed.
        closed: bool,
        /// When it ends unless it is renewed.
        deadline: Option<Timestamp>,
    },
    /// A producer's new state. When the stream then has more than `keep`, the longest idle are forgotten.
    Producer {
        /// The stream.
        id: StreamId,
        /// The producer's name.
        producer: String,
        /// Its state.
        state: ProducerState,
        /// The time of the commit.
        at: Timestamp,
        /// Producers to keep; `None` if this one was known before.
        keep: Option<usize>,
    },
    /// A new trim point.
    Trim {
        /// The stream.
        id: StreamId,
        /// Records before it are gone.
        start: Offset,
    },
    /// The stream is gone. Its path is free, unless forks point at it: those of its records that they
    /// inherited are kept, and the path with them, until the last is gone.
    Delete {
        /// The stream.
        id: StreamId,
        /// The time of the commit.
        at: Timestamp,
        /// Its end.
        tail: Offset,
    },
}

/// Records that lie together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The position before its first record.
    pub first: Offset,
    /// How many records it holds.
    pub records: u32,
    /// The time of the last one's commit.
    pub at: Timestamp,
    /// Encoded by `codec`.
    pub body: Bytes,
}

impl Chunk {
    /// The position after its last record.
    pub(crate) fn end(&self) -> Offset {
        self.first.plus(u64::from(self.records))
    }

    /// The chunk in memory of its own, for whoever holds it longer than those that were written with it: small chunks
    /// of one commit share theirs.
    pub(crate) fn detached(&self) -> Self {
        let is_shared = self.body.len() < SHARED_BELOW;
        let body = if is_shared { Bytes::copy_from_slice(&self.body) } else { self.body.clone() };
        Self { body, ..*self }
    }
}

/// Chunks with smaller bodies share their memory with others of their commit.
pub(crate) const SHARED_BELOW: usize = 4_096;

/// Which stream a read means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamKey {
    /// Whatever lives at the path.
    Path(StreamPath),
    /// This one, as long as it was not deleted.
    Id(StreamId),
}

/// One read.
#[derive(Clone, Debug)]
pub struct ReadQuery {
    /// The stream.
    pub key: StreamKey,
    /// Where to begin; positions outside of the stream are clamped by the store.
    pub from: tidegate_types::ReadFrom,
    /// Records at most.
    pub records: usize,
    /// Bytes of chunks at most; one chunk is always returned.
    pub bytes: usize,
}

/// What a stream is to keep.
#[derive(Clone, Debug)]
pub struct CutQuery {
    /// The stream.
    pub id: StreamId,
    /// Records written at or before this time are dropped.
    pub before: Option<Timestamp>,
    /// Bytes that are kept, the newest first.
    pub bytes: Option<u64>,
}

/// What a read found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The stream at the moment of the read.
    pub stored: Stored,
    /// Contiguous pieces; the first one holds the position asked for. Empty at the tail.
    pub pieces: Vec<Piece>,
}

/// A chunk of a stream, or of one that it was forked from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where the records lie.
    pub chunk: Chunk,
    /// Records after this position are not the reader's: a fork left the stream there.
    pub until: Offset,
    /// How many bytes of the record before `until` are the reader's, if not all.
    pub cut: Option<u64>,
}

/// Streams that are due.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// Their deadline has passed.
    pub streams: Vec<Stored>,
    /// The next deadline that has not.
    pub next: Option<Timestamp>,
}
