//! When sessions and keys were last seen: kept in memory, written once a minute, and the rest of
//! the background work on accounts.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_db::DbError;
use tidegate_types::{KeyId, SessionId, Timestamp};

use crate::Gate;

/// Entries that wait to be written; more are not noted until then.
const WAITING_MAX: usize = 50_000;
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Rows that one sweep drops at most, of each kind.
const SWEEP_ROWS: u32 = 2_000;

/// What was seen since the last write.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sessions: Mutex<HashMap<SessionId, Timestamp>>,
    keys: Mutex<HashMap<KeyId, Timestamp>>,
    written_at: AtomicI64,
}

impl Seen {
    pub(crate) fn session(&self, id: SessionId, now: Timestamp) {
        note(&self.sessions, id, now);
    }

    pub(crate) fn key(&self, id: KeyId, now: Timestamp) {
        note(&self.keys, id, now);
    }
}

fn note<K: Hash + Eq>(map: &Mutex<HashMap<K, Timestamp>>, id: K, now: Timestamp) {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    if map.len() < WAITING_MAX || map.contains_key(&id) {
        map.insert(id, now);
    }
}

fn take<K>(map: &Mutex<HashMap<K, Timestamp>>) -> Vec<(K, Timestamp)> {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *map).into_iter().collect()
}

impl Gate {
    /// The background work on accounts: last uses are written, what is over is dropped. Bounded.
    pub(crate) async fn step_accounts(&self, now: Timestamp) -> Result<(), DbError> {
        let seen = &self.inner.seen;
        let written_at = Timestamp::from_millis(seen.written_at.load(Ordering::Acquire));
        if now.since(written_at) < WRITE_EVERY {
            return Ok(());
        }
        seen.written_at.store(now.as_millis(), Ordering::Release);
        let (sessions, keys) = (take(&seen.sessions), take(&seen.keys));
        if !sessions.is_empty() {
            self.store().touch_sessions(sessions).await?;
        }
        if !keys.is_empty() {
            self.store().touch_keys(keys).await?;
        }
        self.store().sweep_sessions(now, SWEEP_ROWS).await?;
        self.store().sweep_messages(now, SWEEP_ROWS).await?;
        self.store().sweep_requests(now, SWEEP_ROWS).await?;
        Ok(())
    }
}
