//! When to look at which reader, in ticks of a tenth of a second.
//!
//! Owns: one list for each tick that has any, so that a timer per shard is enough.
//! Must not: be believed: an entry says when to look, the reader says what is due. An entry that is
//! not the reader's own any more is dropped by whoever looks.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

const TICK_MS: u128 = 100;

/// A point in time of one shard; its end lies thirteen years after its begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u32);

impl Tick {
    pub(super) fn plus(self, time: Duration) -> Self {
        let ticks = u32::try_from(time.as_millis().div_ceil(TICK_MS)).unwrap_or(u32::MAX);
        Self(self.0.saturating_add(ticks))
    }
}

/// What is due when.
#[derive(Debug)]
pub(super) struct Calendar {
    began: Instant,
    due: BTreeMap<Tick, Vec<u32>>,
}

impl Calendar {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, due: BTreeMap::new() }
    }

    /// The tick that has begun.
    pub(super) fn tick(&self, now: Instant) -> Tick {
        let millis = now.saturating_duration_since(self.began).as_millis();
        Tick(u32::try_from(millis / TICK_MS).unwrap_or(u32::MAX))
    }

    pub(super) fn put(&mut self, at: Tick, key: u32) {
        self.due.entry(at).or_default().push(key);
    }

    /// When the next list is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|(tick, _)| self.begin_of(*tick))
    }

    /// When a tick begins.
    pub(super) fn begin_of(&self, Tick(tick): Tick) -> Instant {
        let millis = u64::from(tick).saturating_mul(u64::try_from(TICK_MS).unwrap_or(u64::MAX));
        self.began + Duration::from_millis(millis)
    }

    /// A list whose time has come.
    pub(super) fn take_due(&mut self, now: Tick) -> Option<(Tick, Vec<u32>)> {
        let first = self.due.first_entry()?;
        (*first.key() <= now).then(|| first.remove_entry())
    }
}
