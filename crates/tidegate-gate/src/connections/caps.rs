//! The caps: whether one more connection is let in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tidegate_types::{ConnectionId, ErrorCode};

use super::ending::Ending;
use super::registry::{Entry, Flag, NO_OFFSET, NOTHING_UNACKED, Owner, Registry, State};
use super::{Connection, EndReason, NewConnection, Refused, StreamKind};
use crate::Principal;
use crate::rates::network_of;

/// How long bytes must have gone unacknowledged before their connection gives way to another
/// one of its own session.
const GIVES_WAY_AFTER: Duration = Duration::from_secs(5);
/// What a refused client is told to wait.
const RETRY_AFTER_S: u32 = 5;

impl Registry {
    /// Lets a connection in, or says why not. A healthy connection is never ended for it.
    pub(crate) fn admit(
        self: &Arc<Self>,
        id: ConnectionId,
        new: NewConnection,
    ) -> Result<Connection, Refused> {
        let entry = {
            let mut state = self.lock();
            self.check(&mut state, &new)?;
            self.insert(&mut state, id, new)
        };
        Ok(Connection::new(Arc::clone(self), entry))
    }

    fn check(&self, state: &mut State, new: &NewConnection) -> Result<(), Refused> {
        let full = Refused { code: ErrorCode::ConnectionLimit, retry_after_s: RETRY_AFTER_S };
        if state.draining {
            return Err(Refused { code: ErrorCode::Draining, retry_after_s: RETRY_AFTER_S });
        }
        let sharing = state.sharers(new.lease);
        if !sharing.any && state.entries.len() as u64 >= self.limits.streams_per_node {
            // Not a cap of this caller: the edge answers it so that browsers come back by themselves.
            return Err(Refused { code: ErrorCode::Overloaded, retry_after_s: RETRY_AFTER_S });
        }
        let network = network_of(new.address);
        let same_network = sharing.any && state.lease_network(new.lease, network);
        let from_network = state.networks.get(&network).copied().unwrap_or(0);
        if !same_network && from_network >= self.limits.streams_per_address {
            return Err(full);
        }
        if sharing.slot {
            return Ok(());
        }
        self.check_user(state, new).then_some(()).ok_or(full)
    }

    /// Whether the user has a slot left, or gets one from a stalled connection of this session.
    fn check_user(&self, state: &mut State, new: &NewConnection) -> bool {
        // Services are bounded by address and node; their keys can be revoked.
        let Some(owner @ Owner::User(_)) = owner_of(&new.principal) else { return true };
        let held = state.owners.get(&owner);
        let (feeds, streams) = held.map_or((0, 0), |held| (held.feeds, held.streams));
        let feeds_full = new.kind == StreamKind::Feed && feeds >= self.limits.feed_connections_per_user;
        let streams_full = streams >= self.limits.streams_per_user;
        if !feeds_full && !streams_full {
            return true;
        }
        // A freed feed slot frees a stream slot too, but not the other way round.
        self.end_stalled(state, new, owner, feeds_full)
    }

    fn end_stalled(&self, state: &mut State, new: &NewConnection, owner: Owner, only_feeds: bool) -> bool {
        let Some(session) = session_of(&new.principal) else { return false };
        let stalled_by = self.clock.now().minus(GIVES_WAY_AFTER).as_millis();
        let Some(held) = state.owners.get(&owner) else { return false };
        let victim = held.connections.iter().copied().find(|id| {
            state.entries.get(id).is_some_and(|entry| {
                let unacked = entry.unacked_since.load(Ordering::Acquire);
                entry.session == Some(session)
                    && entry.holds_slot.is_set()
                    && entry.end_reason().is_none()
                    && (!only_feeds || entry.kind == StreamKind::Feed)
                    && unacked != NOTHING_UNACKED
                    && unacked <= stalled_by
            })
        });
        victim.is_some_and(|id| state.end(id, EndReason::Replaced))
    }

    fn insert(&self, state: &mut State, id: ConnectionId, new: NewConnection) -> Arc<Entry> {
        let (owner, session) = (owner_of(&new.principal), session_of(&new.principal));
        let network = network_of(new.address);
        let holds_slot = !state.sharers(new.lease).slot;
        *state.networks.entry(network).or_insert(0) += 1;
        if let Some(owner) = owner {
            let held = state.owners.entry(owner).or_default();
            held.connections.insert(id);
            if holds_slot {
                held.count(new.kind);
            }
        }
        if let Some(session) = session {
            state.sessions.entry(session).or_default().insert(id);
        }
        if let Some(lease) = new.lease {
            state.leases.entry(lease).or_default().connections.add(id);
        }
        let entry = Arc::new(Entry {
            id,
            ended: Ending::default(),
            unacked_since: AtomicI64::new(NOTHING_UNACKED),
            first: AtomicU64::new(NO_OFFSET),
            last: AtomicU64::new(NO_OFFSET),
            owner,
            session,
            lease: new.lease,
            kind: new.kind,
            stream: state.paths.shared(new.stream),
            address: new.address,
            transport: new.transport,
            request_id: new.request_id.into(),
            started_at: self.clock.now(),
            opened: Flag::new(false),
            holds_slot: Flag::new(holds_slot),
        });
        state.entries.insert(id, Arc::clone(&entry));
        entry
    }
}

/// What the other connections of a lease mean for one more.
#[derive(Clone, Copy, Debug, Default)]
struct Sharers {
    any: bool,
    slot: bool,
}

impl State {
    fn sharers(&self, lease: Option<tidegate_types::LeaseId>) -> Sharers {
        let Some(found) = lease.and_then(|lease| self.leases.get(&lease)) else { return Sharers::default() };
        let slot =
            found.connections.iter().any(|id| self.entries.get(&id).is_some_and(|e| e.holds_slot.is_set()));
        Sharers { any: !found.connections.is_empty(), slot }
    }

    fn lease_network(&self, lease: Option<tidegate_types::LeaseId>, network: std::net::IpAddr) -> bool {
        lease.and_then(|lease| self.leases.get(&lease)).is_some_and(|found| {
            found
                .connections
                .iter()
                .any(|id| self.entries.get(&id).is_some_and(|e| network_of(e.address) == network))
        })
    }
}

impl super::registry::Held {
    pub(super) fn count(&mut self, kind: StreamKind) {
        self.streams += 1;
        self.feeds += u64::from(kind == StreamKind::Feed);
    }

    pub(super) fn uncount(&mut self, kind: StreamKind) {
        self.streams = self.streams.saturating_sub(1);
        self.feeds = self.feeds.saturating_sub(u64::from(kind == StreamKind::Feed));
    }
}

fn owner_of(principal: &Principal) -> Option<Owner> {
    match principal {
        Principal::Anonymous => None,
        Principal::User(user) => Some(Owner::User(user.user_id)),
        Principal::Service(service) => Some(Owner::Key(service.key_id)),
    }
}

fn session_of(principal: &Principal) -> Option<tidegate_types::SessionId> {
    match principal {
        Principal::User(user) => user.session_id,
        Principal::Anonymous | Principal::Service(_) => None,
    }
}
