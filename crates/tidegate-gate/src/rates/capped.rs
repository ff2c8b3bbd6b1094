//! A rate limiter's memory with a hard bound on its keys.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use governor::clock::Clock as _;
use governor::nanos::Nanos;
use governor::state::StateStore;

use super::clock::SteadyClock;

/// Where keys share one allowance once the memory is full of keys that are still in use. Real
/// keys are hashes under a random key; meeting this one by chance costs nothing but sharing.
const OVERFLOW: u64 = 0;

#[derive(Debug, Default)]
struct Keys {
    arrivals: HashMap<u64, Nanos>,
    swept_at: u64,
}

#[derive(Debug)]
pub(super) struct CappedKeys {
    keys: Mutex<Keys>,
    cap: usize,
    clock: SteadyClock,
}

/// A full memory is searched for forgettable keys at most this often.
const SWEEP_NANOS: u64 = 1_000_000_000;

impl CappedKeys {
    pub(super) fn new(cap: usize, clock: SteadyClock) -> Self {
        Self { keys: Mutex::default(), cap, clock }
    }

    fn place(&self, keys: &mut Keys, key: u64) -> u64 {
        if keys.arrivals.contains_key(&key) || keys.arrivals.len() < self.cap {
            return key;
        }
        let now = self.clock.now().as_u64();
        if now.saturating_sub(keys.swept_at) >= SWEEP_NANOS {
            keys.swept_at = now;
            // A theoretical arrival in the past is an allowance that is whole again.
            keys.arrivals.retain(|_, arrival| arrival.as_u64() > now);
        }
        if keys.arrivals.len() < self.cap { key } else { OVERFLOW }
    }
}

impl StateStore for CappedKeys {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.place(&mut keys, *key);
        let (value, arrival) = f(keys.arrivals.get(&key).copied())?;
        keys.arrivals.insert(key, arrival);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::{Quota, RateLimiter};
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use tidegate_types::SystemClock;

    #[test]
    fn a_flood_of_keys_shares_one_allowance_instead_of_memory() {
        let clock = SteadyClock::new(Arc::new(SystemClock));
        let limiter: crate::rates::Limiter = RateLimiter::new(
            Quota::per_minute(NonZeroU32::new(2).unwrap()),
            CappedKeys::new(10, clock.clone()),
            clock,
        );
        let allowed = (1..=1_000).filter(|key| limiter.check_key(key).is_ok()).count();
        assert_eq!(allowed, 12, "ten keys of their own, two from the shared allowance");
        assert!(limiter.check_key(&1).is_ok(), "who was there before keeps their own");
    }
}
