//! What a connection is doing, shared between its socket, its requests and its live streams.
//!
//! Owns: the counts of requests and live streams, and whether writing is held up.
//! Must not: touch the socket; `io` reads this and decides.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

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
    /// HTTP/2 only: answers whose last piece waits for the reader's window, and since when.
    held_up: Mutex<HashMap<u32, Instant>>,
    /// The next answer's number.
    answers: AtomicU32,
    /// How far the head of a live stream's answer is that is to leave this server.
    head: AtomicU8,
}

const NO_HEAD: u8 = 0;
const HEAD_MADE: u8 = 1;
const HEAD_SENT: u8 = 2;

/// While it lives, the socket may stall as long as a live stream may.
#[derive(Debug)]
pub(crate) struct TailMode(SocketProgress);

/// While it lives, a request is being answered.
#[derive(Debug)]
pub(super) struct ActiveRequest {
    progress: SocketProgress,
    number: u32,
    /// A piece was ever taken, so this answer may be among those that are held up.
    held_up: bool,
}

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
        let number = self.0.answers.fetch_add(1, Ordering::Relaxed);
        ActiveRequest { progress: self.clone(), number, held_up: false }
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

    /// Since when the answer that waits longest for its reader does.
    pub(super) fn held_up_since(&self) -> Option<Instant> {
        self.held_up().values().min().copied()
    }

    /// The head of a live stream's answer was made, with all that goes out before its socket leaves.
    pub(super) fn head_made(&self) {
        // hyper asks for the body again after its flush, and what was sent stays sent.
        let _ = self.0.head.compare_exchange(NO_HEAD, HEAD_MADE, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Everything that was made is written.
    pub(super) fn flushed(&self) {
        let head = &self.0.head;
        if head.load(Ordering::Relaxed) != NO_HEAD {
            head.store(HEAD_SENT, Ordering::Relaxed);
        }
    }

    /// Whether the socket may leave.
    pub(super) fn head_sent(&self) -> bool {
        self.0.head.load(Ordering::Relaxed) == HEAD_SENT
    }

    fn held_up(&self) -> MutexGuard<'_, HashMap<u32, Instant>> {
        self.0.held_up.lock().unwrap_or_else(PoisonError::into_inner)
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

impl ActiveRequest {
    /// The connection took a piece of the answer; it asks for the next when that may be sent.
    pub(super) fn piece_taken(&mut self) {
        self.held_up = true;
        self.progress.held_up().insert(self.number, Instant::now());
    }

    /// The connection asks for the next piece.
    pub(super) fn piece_wanted(&self) {
        self.progress.held_up().remove(&self.number);
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        if self.held_up {
            self.piece_wanted();
        }
        let shared = &*self.progress.0;
        shared.served.fetch_add(1, Ordering::Relaxed);
        shared.active.fetch_sub(1, Ordering::Relaxed);
    }
}
