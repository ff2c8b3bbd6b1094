//! Which frameworks have somebody who works on them, as far as this node has heard.
//!
//! Owns: until when a claim or a report counts as a sign of life.
//! Must not: be a reason to refuse anything; it only gives words to a record that waits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_types::Timestamp;

/// A worker that has lost its connection comes back well within this.
const SPARE: Duration = Duration::from_secs(10);
/// After a start everybody gets as long as a claim may wait.
const AFTER_START: Duration = Duration::from_secs(30);

/// Until when each framework counts as attended. Holds configured names only, so it is bounded.
#[derive(Debug)]
pub(crate) struct Attendance {
    all_until: Timestamp,
    until: Mutex<HashMap<String, Timestamp>>,
}

impl Attendance {
    pub(crate) fn since(start: Timestamp) -> Self {
        Self { all_until: start.plus(AFTER_START), until: Mutex::default() }
    }

    /// Somebody who works on these was heard of, and is next heard of by then.
    pub(super) fn note<'a>(&self, frameworks: impl IntoIterator<Item = &'a str>, next: Timestamp) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        for framework in frameworks {
            match until.get_mut(framework) {
                Some(known) => *known = next.max(*known),
                None => drop(until.insert(framework.to_owned(), next)),
            }
        }
    }

    /// Whether nobody who works on this framework was heard of when they should have been.
    pub(crate) fn is_deserted(&self, framework: &str, now: Timestamp) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        match until.get(framework) {
            Some(known) => now > self.all_until.max(known.plus(SPARE)),
            None => now > self.all_until,
        }
    }
}
