//! The registry: every live connection of this node, with the indexes that ending them needs.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_types::{
    Clock, ConnectionId, KeyId, LeaseId, Limits, Offset, SessionId, StreamPath, Timestamp, UserId,
};

use super::ending::Ending;
use super::few::{Few, Paths};
use super::{EndReason, StreamKind};
use crate::audit::AuditBuffer;

/// How long a feed's last position is remembered for its session.
pub(super) const POSITION_LIFE: Duration = Duration::from_secs(120);

/// Stands for "no offset yet" and "nothing unacknowledged" in the atomics.
pub(super) const NO_OFFSET: u64 = u64::MAX;
pub(super) const NOTHING_UNACKED: i64 = i64::MIN;

/// Whose slots a connection takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    User(UserId),
    Key(KeyId),
}

/// What the registry and the one who serves a connection know of it. One for each open socket.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: ConnectionId,
    pub(super) ended: Ending,
    pub(super) unacked_since: AtomicI64,
    pub(super) first: AtomicU64,
    pub(super) last: AtomicU64,
    pub(super) owner: Option<Owner>,
    pub(super) session: Option<SessionId>,
    pub(super) lease: Option<LeaseId>,
    pub(super) kind: StreamKind,
    pub(super) stream: StreamPath,
    pub(super) address: IpAddr,
    pub(super) transport: &'static str,
    pub(super) request_id: Box<str>,
    pub(super) started_at: Timestamp,
    /// Whether it serves a stream already, or only waits for its ticket to be opened.
    pub(super) opened: Flag,
    /// Whether its owner's slot is counted with it; connections of one lease count once.
    pub(super) holds_slot: Flag,
}

/// Changes only under the registry's lock.
#[derive(Debug)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    pub(super) const fn new(is_set: bool) -> Self {
        Self(AtomicBool::new(is_set))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Answers how it was.
    pub(super) fn set(&self, to: bool) -> bool {
        self.0.swap(to, Ordering::Relaxed)
    }
}

impl Entry {
    pub(super) fn end_reason(&self) -> Option<EndReason> {
        self.ended.reason()
    }
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) connections: HashSet<ConnectionId>,
    pub(super) feeds: u64,
    pub(super) streams: u64,
}

#[derive(Debug, Default)]
pub(super) struct LeaseConnections {
    pub(super) connections: Few,
    /// The one that serves, with the number of the tag it issued.
    pub(super) serving: Option<(ConnectionId, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) entries: HashMap<ConnectionId, Arc<Entry>>,
    pub(super) paths: Paths,
    pub(super) owners: HashMap<Owner, Held>,
    pub(super) sessions: HashMap<SessionId, HashSet<ConnectionId>>,
    /// Boxed: half of the places of a table may be empty.
    pub(super) leases: HashMap<LeaseId, Box<LeaseConnections>>,
    pub(super) networks: HashMap<IpAddr, u64>,
    pub(super) lease_ends: HashMap<LeaseId, Timestamp>,
    pub(super) positions: HashMap<(SessionId, StreamPath), (Timestamp, Offset)>,
    pub(super) draining: bool,
}

/// Every live connection of this node.
#[derive(Debug)]
pub(crate) struct Registry {
    state: Mutex<State>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Arc<Limits>,
    pub(super) audit: Arc<AuditBuffer>,
}

/// What is known of a lease's connections without asking the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseSight {
    /// A connection serves it now.
    Live,
    /// The last one ended then; the store may not know yet.
    Ended(Timestamp),
    /// Nothing that the store does not know.
    Unknown,
}

impl Registry {
    pub(crate) fn new(clock: Arc<dyn Clock>, limits: Arc<Limits>, audit: Arc<AuditBuffer>) -> Self {
        Self { state: Mutex::default(), clock, limits, audit }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a lease has a socket, or since when it has none.
    pub(crate) fn sight(&self, lease: LeaseId) -> LeaseSight {
        let state = self.lock();
        let serving = state.leases.get(&lease).and_then(|l| l.serving);
        let live = serving
            .and_then(|(id, _)| state.entries.get(&id))
            .is_some_and(|entry| entry.end_reason().is_none());
        match state.lease_ends.get(&lease) {
            _ if live => LeaseSight::Live,
            Some(at) => LeaseSight::Ended(*at),
            None => LeaseSight::Unknown,
        }
    }

    /// The ends of leases that the store has not been told yet, in the order of their ids, in which they are stored.
    pub(crate) fn lease_ends(&self) -> Vec<(LeaseId, Timestamp)> {
        let mut ends: Vec<_> = self.lock().lease_ends.iter().map(|(id, at)| (*id, *at)).collect();
        ends.sort_unstable();
        ends
    }

    /// Forgets ends that the store knows now, unless a later one came in.
    pub(crate) fn lease_ends_stored(&self, stored: &[(LeaseId, Timestamp)]) {
        let mut state = self.lock();
        for (lease, at) in stored {
            if state.lease_ends.get(lease) == Some(at) {
                state.lease_ends.remove(lease);
            }
        }
    }

    /// Where this session's last connection to this feed ended, if that is not long ago.
    pub(crate) fn last_position(&self, session: SessionId, stream: &StreamPath) -> Option<Offset> {
        let oldest = self.clock.now().minus(POSITION_LIFE);
        let state = self.lock();
        let (at, offset) = state.positions.get(&(session, stream.clone()))?;
        (*at >= oldest).then_some(*offset)
    }

    /// Forgets positions that nobody may resume from any more.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let oldest = now.minus(POSITION_LIFE);
        self.lock().positions.retain(|_, (at, _)| *at >= oldest);
    }
}
