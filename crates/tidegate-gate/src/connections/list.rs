//! The operator's list of live connections.

use std::sync::atomic::Ordering;

use tidegate_types::{ConnectionId, Timestamp};

use super::registry::{Entry, NOTHING_UNACKED, Owner, Registry};
use super::serve::offset;
use super::{ConnectionFilter, ConnectionInfo};

impl Registry {
    /// The connections that the filter lets through, oldest first.
    pub(crate) fn list(&self, filter: &ConnectionFilter) -> Vec<ConnectionInfo> {
        let mut found: Vec<ConnectionInfo> = self
            .lock()
            .entries
            .iter()
            .filter(|(_, entry)| entry.opened.is_set())
            .map(|(id, entry)| info(*id, entry))
            .filter(|info| matches(filter, info))
            .collect();
        found.sort_by_key(|info| info.id);
        found
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().entries.len()
    }
}

fn info(id: ConnectionId, entry: &Entry) -> ConnectionInfo {
    let unacked = entry.unacked_since.load(Ordering::Acquire);
    let (user_id, key_id) = match entry.owner {
        None => (None, None),
        Some(Owner::User(user)) => (Some(user), None),
        Some(Owner::Key(key)) => (None, Some(key)),
    };
    ConnectionInfo {
        id,
        user_id,
        session_id: entry.session,
        key_id,
        kind: entry.kind,
        stream: entry.stream.clone(),
        address: entry.address,
        lease: entry.lease,
        transport: entry.transport,
        started_at: entry.started_at,
        first: offset(entry.first.load(Ordering::Acquire)),
        last: offset(entry.last.load(Ordering::Acquire)),
        unacked_since: (unacked != NOTHING_UNACKED).then(|| Timestamp::from_millis(unacked)),
    }
}

fn matches(filter: &ConnectionFilter, info: &ConnectionInfo) -> bool {
    filter.user_id.is_none_or(|user| info.user_id == Some(user))
        && filter.session_id.is_none_or(|session| info.session_id == Some(session))
        && filter.key_id.is_none_or(|key| info.key_id == Some(key))
        && filter.stream.as_ref().is_none_or(|stream| info.stream == *stream)
}
