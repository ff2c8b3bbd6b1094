//! Sliding lives: when streams with a TTL were last used.
//!
//! A read renews a stream's life in memory at once and in the store only each tenth of that life.
//! Whether a stream has expired is decided by both. Bounded by the streams with a TTL that
//! were used within a tenth of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_types::{StreamPath, Timestamp};

use crate::StreamId;
use crate::store::Stored;

#[derive(Debug, Default)]
pub(crate) struct Renewals {
    used: Mutex<HashMap<StreamId, Used>>,
}

#[derive(Debug)]
struct Used {
    path: StreamPath,
    ttl: Duration,
    latest: Timestamp,
    /// What the store knows, or was asked to write.
    stored: Timestamp,
}

/// A renewal that the store should write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueRenewal {
    pub(crate) path: StreamPath,
    pub(crate) id: StreamId,
    pub(crate) at: Timestamp,
}

impl Renewals {
    /// Notes a read. Answers the renewal to be stored, if one is due.
    pub(crate) fn note_read(&self, stored: &Stored, now: Timestamp) -> Option<DueRenewal> {
        let ttl = stored.info.ttl?;
        let mut all = self.lock();
        let used = all.entry(stored.info.id).or_insert_with(|| Used {
            path: stored.info.path.clone(),
            ttl,
            latest: now,
            stored: stored.deadline.map_or(now, |deadline| deadline.minus(ttl)),
        });
        used.latest = used.latest.max(now);
        if used.latest.since(used.stored) < ttl / 10 {
            return None;
        }
        used.stored = used.latest;
        Some(DueRenewal { path: stored.info.path.clone(), id: stored.info.id, at: used.latest })
    }

    /// Notes a committed write, which may have moved the stored deadline or not.
    pub(crate) fn note_write(&self, stored: &Stored, at: Timestamp) {
        let (Some(ttl), Some(deadline)) = (stored.info.ttl, stored.deadline) else { return };
        let in_store = deadline.minus(ttl);
        let mut all = self.lock();
        if in_store >= at && !all.contains_key(&stored.info.id) {
            return;
        }
        let used = all.entry(stored.info.id).or_insert_with(|| Used {
            path: stored.info.path.clone(),
            ttl,
            latest: at,
            stored: in_store,
        });
        used.latest = used.latest.max(at);
        used.stored = used.stored.max(in_store);
    }

    /// Whether the stream's time is up.
    pub(crate) fn is_expired(&self, stored: &Stored, now: Timestamp) -> bool {
        let Some(deadline) = stored.deadline else { return false };
        deadline <= now && self.latest_use(stored).is_none_or(|(at, ttl)| at.plus(ttl) <= now)
    }

    /// The renewal that keeps a stream alive whose stored deadline has passed.
    pub(crate) fn renewal_of(&self, stored: &Stored) -> Option<DueRenewal> {
        let (at, _) = self.latest_use(stored)?;
        Some(DueRenewal { path: stored.info.path.clone(), id: stored.info.id, at })
    }

    /// Takes some renewals of streams that have been idle since, so that nothing about them has to
    /// stay in memory.
    pub(crate) fn take_idle(&self, now: Timestamp, limit: usize) -> Vec<DueRenewal> {
        let mut all = self.lock();
        let idle = |used: &Used| now.since(used.latest) >= used.ttl / 10;
        // Written at the last round, or before: the store knows.
        all.retain(|_, used| used.latest > used.stored || !idle(used));
        let mut due = Vec::new();
        for (id, used) in all.iter_mut().filter(|(_, used)| idle(used)).take(limit) {
            used.stored = used.latest;
            due.push(DueRenewal { path: used.path.clone(), id: *id, at: used.latest });
        }
        due
    }

    pub(crate) fn forget(&self, id: StreamId) {
        self.lock().remove(&id);
    }

    fn latest_use(&self, stored: &Stored) -> Option<(Timestamp, Duration)> {
        stored.info.ttl?;
        self.lock().get(&stored.info.id).map(|used| (used.latest, used.ttl))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamId, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
