//! What a connection is doing, shared between its socket, its requests and its live streams.
//!
//! Owns: the counts of requests and live streams, and whether writing is held up.
//! Must not: touch the socket; `io` reads this and decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// In the extensions of each request: the state of the socket that it came by.
#[derive(Clone, Debug, Default)]
pub(crate) struct SocketProgress(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Requests whose answer is not written yet.
    active: AtomicU32,
    /// Answers written since the connection began.
    served: AtomicU64,
    /// Live streams among the active ones.
    tails: AtomicU32,
    /// The socket takes no more bytes for now.
    write_blocked: AtomicBool,
}

/// While it lives, the socket may stall as long as a live stream may.
#[derive(Debug)]
pub(crate) struct TailMode(SocketProgress);

/// While it lives, a request is being answered.
#[derive(Debug)]
pub(super) struct ActiveRequest(SocketProgress);

impl SocketProgress {
    /// Says that the answer under way is a live stream; keep the value as long as it is.
    pub(crate) fn tail_mode(&self) -> TailMode {
        self.0.tails.fetch_add(1, Ordering::Relaxed);
        TailMode(self.clone())
    }

    /// Whether bytes wait because the other end does not take them.
    pub(crate) fn is_write_blocked(&self) -> bool {
        self.0.write_blocked.load(Ordering::Relaxed)
    }

    pub(super) fn request(&self) -> ActiveRequest {
        self.0.active.fetch_add(1, Ordering::Relaxed);
        ActiveRequest(self.clone())
    }

    pub(super) fn is_active(&self) -> bool {
        self.0.active.load(Ordering::Relaxed) > 0
    }

    pub(super) fn served(&self) -> u64 {
        self.0.served.load(Ordering::Relaxed)
    }

    pub(super) fn has_tails(&self) -> bool {
        self.0.tails.load(Ordering::Relaxed) > 0
    }

    pub(super) fn set_write_blocked(&self, blocked: bool) {
        self.0.write_blocked.store(blocked, Ordering::Relaxed);
    }
}

impl Drop for TailMode {
    fn drop(&mut self) {
        self.0.0.tails.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.0.served.fetch_add(1, Ordering::Relaxed);
        self.0.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}
