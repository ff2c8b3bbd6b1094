//! An open tail: all that is left of its request.
//!
//! Owns: nothing but the parts. Who drives it decides how its bytes go out: as a body that the HTTP
//! server pulls ([`super::TailBody`]), or by the shard that owns its socket (`crate::shards`).
//! Must not: know either of them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use tidegate_log::Tail as LogTail;
use tidegate_types::{Offset, Timestamp};
use tokio::time::Instant;

use super::batch::Batch;
use super::held::Held;
use super::write::Writer;

/// An open tail. Dropping it ends the connection.
pub(crate) struct Tail {
    /// Where it reads.
    pub(crate) log: LogTail,
    /// Its place at the gate.
    pub(crate) held: Held,
    /// Its encoder.
    pub(crate) writer: Writer,
    /// Where reading began.
    pub(crate) first: Offset,
    /// When its credential runs out, if that ends it.
    pub(crate) expires: Option<Instant>,
    /// Its first bytes, to go out with the answer's head.
    pub(crate) hello: Bytes,
}

/// What goes out with the head at most; a reader that takes nothing makes it wait.
const AHEAD_BYTES: usize = 16 * 1_024;

impl Tail {
    /// Takes the first records, if memory has all of them, to go out with the hello.
    pub(crate) fn take_ahead(&mut self, now: Timestamp) -> Option<Batch> {
        let (frames, up_to_date) = self.log.at_hand(AHEAD_BYTES)?;
        let batch = self.writer.batch(&frames, up_to_date, now)?;
        self.held.note_offsets(self.first, batch.to);
        Some(batch)
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("log", &self.log).finish_non_exhaustive()
    }
}

/// Where a tail waits between its handler and whoever drives it.
#[derive(Clone, Debug)]
pub(super) struct Waiting(Arc<Mutex<Option<Box<Tail>>>>);

impl Waiting {
    pub(super) fn new(tail: Tail) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(tail)))))
    }

    pub(super) fn take(&self) -> Option<Box<Tail>> {
        take(&self.0)
    }

    pub(super) fn detachable(&self) -> Detachable {
        Detachable(Arc::downgrade(&self.0))
    }
}

/// In the extensions of a streamed answer: a way to take the tail out of its body. Finds nothing
/// if the body was replaced on its way.
#[derive(Clone, Debug)]
pub(crate) struct Detachable(Weak<Mutex<Option<Box<Tail>>>>);

impl Detachable {
    /// The tail, for whoever comes first.
    pub(crate) fn take(&self) -> Option<Box<Tail>> {
        take(&*self.0.upgrade()?)
    }
}

fn take(waiting: &Mutex<Option<Box<Tail>>>) -> Option<Box<Tail>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
}
