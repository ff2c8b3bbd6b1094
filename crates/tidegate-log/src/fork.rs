//! Streams that begin with the records of another one, without a copy of them.
//!
//! Owns: what a fork is and what its maker may ask for. Must not: plan a write (`commit/fork.rs`)
//! or know how a store follows the chain.

use tidegate_types::{Offset, StreamPath};

use crate::StreamId;

/// Which records of which stream a new one begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFork {
    /// The stream to fork.
    pub source: StreamPath,
    /// The position where the fork leaves its source; the default is the source's tail.
    pub at: Option<Offset>,
    /// How much it takes of what follows: records of a JSON stream, else bytes of the next record.
    pub sub: u64,
}

/// Where a stream leaves the one whose records it begins with. Never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The stream that it points at. It keeps its records and its path as long as the fork lives.
    pub source: StreamId,
    /// Where that one lives, or lived.
    pub path: StreamPath,
    /// The position before the fork's own first record.
    pub at: Offset,
    /// The sub-offset that its maker asked for.
    pub sub: u64,
    /// How many forks one after the other lead here, this one included.
    pub depth: u32,
}

impl Fork {
    /// The offset that its maker named.
    pub(crate) fn asked(&self, is_json: bool) -> Offset {
        let taken = if is_json { self.sub } else { u64::from(self.sub > 0) };
        Offset::new(self.at.get().saturating_sub(taken)).unwrap_or(self.at)
    }

    /// How many bytes count of the last record before [`Fork::at`], if not all of them.
    pub(crate) fn cut(&self, is_json: bool) -> Option<u64> {
        (!is_json && self.sub > 0).then_some(self.sub)
    }
}

/// How large a record is that a fork wants a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) source: StreamId,
    pub(crate) bytes: u64,
}
