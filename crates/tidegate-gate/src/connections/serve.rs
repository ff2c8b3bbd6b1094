//! What happens to a connection after it was let in: opened, ended, gone.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidegate_types::{ConnectionId, LeaseId, Offset, Timestamp};

use super::registry::{Entry, NO_OFFSET, Owner, Registry, State};
use super::{EndReason, StreamKind};
use crate::audit::{Actor, AuditKind, AuditRow, Circumstances, Subject};
use crate::rates::network_of;
use crate::revocation::{NewRevocation, RevocationScope};

/// Connections that are ended for their age in one go, once a second.
const AGED_AT_ONCE: usize = 500;

impl Registry {
    /// The connection serves its stream from now on. With a lease, the one that served it before
    /// is replaced, unless that one has the newer tag: then this one is.
    pub(super) fn opened(&self, id: ConnectionId, lease: Option<(LeaseId, u64)>) {
        let entry = {
            let mut state = self.lock();
            if let Some((lease, tag)) = lease {
                state.serve_lease(id, lease, tag);
            }
            let Some(entry) = state.entries.get(&id) else { return };
            entry.opened.set(true);
            Arc::clone(entry)
        };
        self.audit.push_row(open_row(&entry, self.clock.now()));
    }

    /// Tells a connection to end; the first reason stays. Answers whether it was live.
    pub(crate) fn end(&self, id: ConnectionId, reason: EndReason) -> bool {
        self.lock().end(id, reason)
    }

    /// Tells every connection to end and lets no further one in.
    pub(crate) fn drain(&self) {
        let mut state = self.lock();
        state.draining = true;
        state.end_all(EndReason::Drain);
    }

    /// Tells every connection to end.
    pub(crate) fn end_all(&self, reason: EndReason) {
        self.lock().end_all(reason);
    }

    /// Ends connections that were let in at this time or before, some of them at once: all will come back.
    pub(crate) fn end_aged(&self, before: Timestamp) {
        let mut state = self.lock();
        let is_aged = |entry: &Entry| entry.started_at <= before && entry.end_reason().is_none();
        let aged = state.entries.iter().filter(|(_, entry)| is_aged(entry)).map(|(id, _)| *id);
        for id in aged.take(AGED_AT_ONCE).collect::<Vec<_>>() {
            state.end(id, EndReason::Age);
        }
    }

    /// Ends what a revocation hits.
    pub(crate) fn revoke(&self, revoked: &NewRevocation) -> usize {
        let mut state = self.lock();
        let hit = state.hit_by(revoked);
        hit.into_iter().filter(|id| state.end(*id, EndReason::Revoked)).count()
    }

    /// Takes a connection out that was dropped.
    pub(super) fn remove(&self, id: ConnectionId, finished: Option<EndReason>) {
        let now = self.clock.now();
        let Some(entry) = self.lock().remove(id, now) else { return };
        if entry.opened.is_set() {
            self.audit.push_row(close_row(&entry, finished, now));
        }
    }
}

impl State {
    fn serve_lease(&mut self, id: ConnectionId, lease: LeaseId, tag: u64) {
        self.lease_ends.remove(&lease);
        let found = self.leases.entry(lease).or_default();
        let replaced = match found.serving {
            Some((_, newer)) if newer > tag => id,
            before => {
                found.serving = Some((id, tag));
                match before {
                    Some((old, _)) if old != id => old,
                    Some(_) | None => return,
                }
            }
        };
        self.end(replaced, EndReason::Replaced);
    }

    /// Sets the reason and frees the owner's slot at once: the connection is as good as gone.
    pub(super) fn end(&mut self, id: ConnectionId, reason: EndReason) -> bool {
        let Some(entry) = self.entries.get(&id) else { return false };
        let first = entry.ended.set(reason);
        if first {
            self.release_slot(id);
        }
        first
    }

    fn end_all(&mut self, reason: EndReason) {
        let all: Vec<ConnectionId> = self.entries.keys().copied().collect();
        for id in all {
            self.end(id, reason);
        }
    }

    /// Gives the slot to another connection of the lease, or back to the owner.
    fn release_slot(&mut self, id: ConnectionId) {
        let Some(entry) = self.entries.get(&id) else { return };
        if !entry.holds_slot.set(false) {
            return;
        }
        let (owner, kind, lease) = (entry.owner, entry.kind, entry.lease);
        let others = lease.and_then(|lease| self.leases.get(&lease)).into_iter();
        for other in others.flat_map(|lease| lease.connections.iter()).filter(|other| *other != id) {
            if let Some(heir) = self.entries.get(&other)
                && heir.end_reason().is_none()
            {
                heir.holds_slot.set(true);
                return;
            }
        }
        if let Some(held) = owner.and_then(|owner| self.owners.get_mut(&owner)) {
            held.uncount(kind);
        }
    }

    fn hit_by(&self, revoked: &NewRevocation) -> Vec<ConnectionId> {
        let of_owner = |owner: Owner| {
            self.owners.get(&owner).map(|h| h.connections.iter().copied().collect()).unwrap_or_default()
        };
        match revoked.scope {
            RevocationScope::Session => self
                .sessions
                .get(&revoked.subject.into())
                .map(|ids| ids.iter().copied().collect())
                .unwrap_or_default(),
            RevocationScope::Key => of_owner(Owner::Key(revoked.subject.into())),
            RevocationScope::Lease => self
                .leases
                .get(&revoked.subject.into())
                .map(|l| l.connections.iter().collect())
                .unwrap_or_default(),
            RevocationScope::User => {
                let mut all: Vec<ConnectionId> = of_owner(Owner::User(revoked.subject.into()));
                // Who signed in again after the revocation stays connected.
                all.retain(|id| self.entries.get(id).is_some_and(|e| e.started_at <= revoked.not_before));
                all
            }
        }
    }

    fn remove(&mut self, id: ConnectionId, now: Timestamp) -> Option<Arc<Entry>> {
        self.release_slot(id);
        let entry = self.entries.remove(&id)?;
        let network = network_of(entry.address);
        if let Some(count) = self.networks.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.networks.remove(&network);
            }
        }
        if let Some(owner) = entry.owner
            && let Some(held) = self.owners.get_mut(&owner)
        {
            held.connections.remove(&id);
            if held.connections.is_empty() {
                self.owners.remove(&owner);
            }
        }
        if let Some(session) = entry.session
            && let Some(ids) = self.sessions.get_mut(&session)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.sessions.remove(&session);
            }
        }
        self.leave_lease(id, &entry, now);
        self.keep_position(&entry, now);
        Some(entry)
    }

    fn leave_lease(&mut self, id: ConnectionId, entry: &Entry, now: Timestamp) {
        let Some(lease) = entry.lease else { return };
        let Some(found) = self.leases.get_mut(&lease) else { return };
        found.connections.remove(id);
        if found.serving.is_some_and(|(serving, _)| serving == id) {
            found.serving = None;
            self.lease_ends.insert(lease, now);
        }
        if found.connections.is_empty() {
            self.leases.remove(&lease);
        }
    }

    fn keep_position(&mut self, entry: &Entry, now: Timestamp) {
        let last = offset(entry.last.load(Ordering::Acquire));
        if let (StreamKind::Feed, true, Some(session), Some(last)) =
            (entry.kind, entry.opened.is_set(), entry.session, last)
        {
            self.positions.insert((session, entry.stream.clone()), (now, last));
        }
    }
}

pub(super) fn offset(raw: u64) -> Option<Offset> {
    if raw == NO_OFFSET { None } else { Offset::new(raw) }
}

fn actor(entry: &Entry) -> Actor {
    match entry.owner {
        None => Actor::Anonymous,
        Some(Owner::User(id)) => Actor::User(id),
        Some(Owner::Key(id)) => Actor::Key(id),
    }
}

fn row(kind: AuditKind, entry: &Entry, now: Timestamp, detail: impl FnOnce(&mut String)) -> AuditRow {
    let of = Circumstances {
        actor: actor(entry),
        subject: entry.lease.map(|lease| Subject::Id(lease.as_uuid())),
        address: Some(entry.address),
        request_id: Some(&entry.request_id),
        stream: Some(entry.stream.as_str()),
    };
    AuditRow::new(now, kind, &of, detail)
}

/// Written by hand, as each live stream has two: the words are ours and need no escapes.
fn open_row(entry: &Entry, now: Timestamp) -> AuditRow {
    row(AuditKind::StreamOpen, entry, now, |text| {
        text.push_str(r#"{"transport":""#);
        text.push_str(entry.transport);
        text.push_str(r#""}"#);
    })
}

fn close_row(entry: &Entry, finished: Option<EndReason>, now: Timestamp) -> AuditRow {
    // Without a reason of ours it was the client who left.
    let reason = finished.or(entry.end_reason()).map_or("client", EndReason::as_str);
    let millis = u64::try_from(now.since(entry.started_at).as_millis()).unwrap_or(u64::MAX);
    row(AuditKind::StreamClose, entry, now, |text| {
        // Writing to a text does not fail.
        let _ = write!(text, r#"{{"duration_ms":{millis},"first":"#);
        push_offset(text, entry.first.load(Ordering::Acquire));
        text.push_str(r#","last":"#);
        push_offset(text, entry.last.load(Ordering::Acquire));
        for word in [r#","reason":""#, reason, r#"","transport":""#, entry.transport, r#""}"#] {
            text.push_str(word);
        }
    })
}

fn push_offset(text: &mut String, raw: u64) {
    let Some(offset) = offset(raw) else { return text.push_str("null") };
    text.push('"');
    // Digits are text.
    text.push_str(str::from_utf8(&offset.digits()).unwrap_or_default());
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn an_offset_is_written_as_it_is_elsewhere() {
        for raw in [0, 7, 9_999_999_999_999_999, NO_OFFSET] {
            let mut text = String::new();
            push_offset(&mut text, raw);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!(offset(raw)));
        }
    }
}
