//! Live streams that left the HTTP server: one shard per core owns their sockets and writes to them
//! in rounds (ADR 5).
//!
//! Owns: where a guest goes, how shards are woken, rounds, pages for who is behind, pings, stalls
//! and ends. A reader at rest is a socket, a cursor and its place at the gate: no buffer, no task, no timer.
//! Must not: open a tail or parse HTTP. It gets both from the server's side once the answer's head is
//! written, and gives the socket back when the stream has ended.

mod arrive;
mod bell;
mod calendar;
mod group;
mod leave;
mod page;
mod reader;
mod recent;
mod round;
mod serve;
mod shard;
mod slots;
mod sockets;
mod time;

use std::io::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use bytes::Bytes;
use tokio_util::task::TaskTracker;

use crate::AppState;
use crate::server::{Bare, Slot};
use crate::tail::Tail;
use bell::Inbox;
use shard::Shard;

/// A socket whose answer's head is written, with the tail that goes on from there.
pub(crate) struct Guest {
    /// The tail; its hello went out with the head.
    pub(crate) tail: Box<Tail>,
    /// The socket.
    pub(crate) home: Homed,
    /// Whether another request may follow on this socket.
    pub(crate) keep_alive: bool,
}

/// A socket and what its connection knows of it.
pub(crate) struct Homed {
    /// The socket.
    pub(crate) socket: Bare,
    /// What the client sent that nobody read yet.
    pub(crate) read: Bytes,
    /// Its place among all sockets.
    pub(crate) slot: Slot,
}

/// Takes a socket back into the HTTP server, to wait for its next request.
pub(crate) type TakeBack = Arc<dyn Fn(Homed) + Send + Sync>;

/// All shards of one server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shards {
    inboxes: Arc<[Arc<Inbox>]>,
    next: Arc<AtomicUsize>,
    tracker: TaskTracker,
}

impl Shards {
    /// Starts one for each core that this process may use.
    ///
    /// # Errors
    /// The system gives no poller.
    pub(crate) fn start(state: &AppState, take_back: impl Fn(&Self) -> TakeBack) -> Result<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        let inboxes = (0..cores).map(|_| Arc::new(Inbox::default())).collect();
        let shards = Self { inboxes, next: Arc::default(), tracker: TaskTracker::new() };
        let take_back = take_back(&shards);
        for inbox in shards.inboxes.iter() {
            let shard = Shard::new(state, inbox, &take_back)?;
            // A round is bounded by its own count; the runtime's would only wake readers for nothing.
            shards.tracker.spawn(tokio::task::unconstrained(shard.run()));
        }
        Ok(shards)
    }

    /// Hands a guest to a shard.
    pub(crate) fn take(&self, guest: Guest) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(inbox) = self.inboxes.get(turn % self.inboxes.len().max(1)) {
            inbox.put_guest(guest);
        }
    }

    /// No guest comes any more: waits until the last one has left.
    pub(crate) async fn empty(&self) {
        self.inboxes.iter().for_each(|inbox| inbox.close());
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Drops all guests at once.
    pub(crate) fn cut(&self) {
        self.inboxes.iter().for_each(|inbox| inbox.cut());
    }
}
