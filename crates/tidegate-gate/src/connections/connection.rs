//! One live connection, in the hands of whoever serves it. Dropping it frees its slots at once.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use tidegate_types::{ConnectionId, Offset};

use super::EndReason;
use super::registry::{Entry, NOTHING_UNACKED, Registry};
use crate::tickets::OpenedLease;

/// A connection that was let in.
#[must_use = "dropping a connection frees its slots"]
pub struct Connection {
    registry: Arc<Registry>,
    entry: Arc<Entry>,
    finished: Option<EndReason>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id())
            .field("ended", &self.end_reason())
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(registry: Arc<Registry>, entry: Arc<Entry>) -> Self {
        Self { registry, entry, finished: None }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.entry.id
    }

    /// From here on it serves its stream: the opening is audited, and with a lease the
    /// connection that served it before is told that it was replaced.
    pub fn opened(&self, lease: Option<&OpenedLease>) {
        self.registry.opened(self.id(), lease.map(|opened| (opened.lease_id, opened.tag_number)));
    }

    /// Resolves when the connection should end, with the reason. Cancel-safe; keeps resolving.
    pub async fn ended(&self) -> EndReason {
        poll_fn(|context| self.poll_ended(context)).await
    }

    /// The same for who polls: the waker of the last call is woken.
    pub fn poll_ended(&self, context: &Context<'_>) -> Poll<EndReason> {
        self.entry.ended.poll(context)
    }

    /// The reason, once there is one.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        self.entry.ended.reason()
    }

    /// Notes whether bytes that were written still wait for the reader. Call it at each write
    /// that stalls and at each that goes through; only the first of a stall counts.
    pub fn progressed(&self, bytes_unacked: bool) {
        let unacked = &self.entry.unacked_since;
        if !bytes_unacked {
            unacked.store(NOTHING_UNACKED, Ordering::Release);
        } else if unacked.load(Ordering::Acquire) == NOTHING_UNACKED {
            unacked.store(self.registry.clock.now().as_millis(), Ordering::Release);
        }
    }

    /// Notes where reading began and how far it came.
    pub fn note_offsets(&self, first: Offset, last: Offset) {
        self.entry.first.store(first.get(), Ordering::Release);
        self.entry.last.store(last.get(), Ordering::Release);
    }

    /// Ends it for a reason that its server found out itself (`eof`, `age`, `slow`, …).
    pub fn finish(mut self, reason: EndReason) {
        self.finished = Some(reason);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.registry.remove(self.id(), self.finished);
    }
}
