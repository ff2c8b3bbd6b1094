//! What all readers of one stream have seen together.
//!
//! Owns: the window of a closed loop (how many records are not yet delivered to all), the
//! latencies, and the moment when waiting for missing records is over.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::histogram;
use crate::bench::sse::Reader;

/// Shared by the publishers and readers of one stream.
pub(super) struct Tally {
    state: Mutex<State>,
    moved: Notify,
    readers: u32,
    started: Instant,
    /// No missing record is waited for any longer.
    given_up: CancellationToken,
}

struct State {
    issued: u64,
    /// Records that every reader has, in the order of the stream.
    complete: u64,
    /// How many readers have each of the records after those.
    pending: VecDeque<u32>,
    latency: Histogram<u64>,
}

impl Tally {
    pub(super) fn new(readers: u32) -> anyhow::Result<Self> {
        let state = State { issued: 0, complete: 0, pending: VecDeque::new(), latency: histogram()? };
        Ok(Self {
            state: Mutex::new(state),
            moved: Notify::new(),
            readers,
            started: Instant::now(),
            given_up: CancellationToken::new(),
        })
    }

    pub(super) const fn started(&self) -> Instant {
        self.started
    }

    pub(super) const fn given_up(&self) -> &CancellationToken {
        &self.given_up
    }

    /// Waits until fewer than `window` records are under way, and counts one more.
    pub(super) async fn claim(&self, window: u32) {
        loop {
            let moved = self.moved.notified();
            if self.try_claim(window) {
                return;
            }
            moved.await;
        }
    }

    /// Counts a record that is sent whatever is under way; answers how many there are now.
    pub(super) fn issue(&self) -> u64 {
        let mut state = self.lock();
        state.issued += 1;
        state.issued
    }

    /// Counts what a reader has got.
    pub(super) fn count(&self, reader: &mut Reader) {
        let mut state = self.lock();
        let before = reader.seen;
        reader.count(self.started, &mut state.latency);
        if state.deliver(before, reader.seen, self.readers) {
            self.moved.notify_waiters();
        }
    }

    pub(super) fn latency(&self) -> Histogram<u64> {
        self.lock().latency.clone()
    }

    fn try_claim(&self, window: u32) -> bool {
        let mut state = self.lock();
        let free = state.issued.saturating_sub(state.complete) < u64::from(window);
        state.issued += u64::from(free);
        free
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// One reader has the records `from..to` of the stream; whether one got to the last reader.
    fn deliver(&mut self, from: u64, to: u64, readers: u32) -> bool {
        for position in from..to {
            let Ok(at) = usize::try_from(position.saturating_sub(self.complete)) else { continue };
            if self.pending.len() <= at {
                self.pending.resize(at + 1, 0);
            }
            if let Some(count) = self.pending.get_mut(at) {
                *count += 1;
            }
        }
        let before = self.complete;
        while self.pending.front().is_some_and(|count| *count >= readers) {
            self.pending.pop_front();
            self.complete += 1;
        }
        self.complete > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_complete_when_its_last_reader_has_it_and_not_before() {
        let tally = Tally::new(2).unwrap();
        assert!(tally.try_claim(1));
        assert!(!tally.lock().deliver(0, 1, 2), "one of two has it");
        assert!(!tally.try_claim(1));
        assert!(tally.lock().deliver(0, 1, 2));
        assert!(tally.try_claim(1));
    }

    #[test]
    fn a_quick_reader_does_not_complete_what_a_slow_one_has_not() {
        let tally = Tally::new(2).unwrap();
        assert!(!tally.lock().deliver(0, 3, 2));
        assert!(tally.lock().deliver(0, 1, 2));
        assert_eq!(tally.lock().complete, 1);
    }
}
