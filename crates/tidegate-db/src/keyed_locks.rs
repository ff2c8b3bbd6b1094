//! One asynchronous lock for each key of this process: for steps that read, decide and write.
//!
//! Bounded by the keys that are locked now; a lock that nobody holds or waits for is forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

const PRUNE_AT_LEAST: usize = 256;

/// Locks by key.
#[derive(Debug)]
pub struct KeyedLocks<K>(Mutex<State<K>>);

#[derive(Debug)]
struct State<K> {
    locks: HashMap<K, Weak<tokio::sync::Mutex<()>>>,
    prune_at: usize,
}

impl<K: Eq + Hash> Default for KeyedLocks<K> {
    fn default() -> Self {
        Self(Mutex::new(State { locks: HashMap::new(), prune_at: PRUNE_AT_LEAST }))
    }
}

impl<K: Eq + Hash> KeyedLocks<K> {
    /// Waits until nobody else holds this key's lock; the guard may move into a task.
    pub async fn lock(&self, key: K) -> OwnedMutexGuard<()> {
        self.handle(key).lock_owned().await
    }

    fn handle(&self, key: K) -> Arc<tokio::sync::Mutex<()>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = state.locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        if state.locks.len() >= state.prune_at {
            state.locks.retain(|_, lock| lock.strong_count() > 0);
            state.prune_at = PRUNE_AT_LEAST.max(state.locks.len() * 2);
        }
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        state.locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_key_is_held_once_and_others_are_free() {
        let locks = KeyedLocks::default();
        let held = locks.lock("a").await;
        let _other = locks.lock("b").await;
        assert!(locks.handle("a").try_lock().is_err());
        drop(held);
        assert!(locks.handle("a").try_lock().is_ok());
    }

    #[tokio::test]
    async fn locks_that_nobody_holds_are_forgotten() {
        let locks = KeyedLocks::default();
        for key in 0..10_000 {
            drop(locks.lock(key).await);
        }
        assert!(locks.0.lock().unwrap().locks.len() <= PRUNE_AT_LEAST);
    }
}
