//! The wall clock made steady: it stands still while the wall clock runs backwards, so that a
//! corrected clock locks nobody out for the length of the correction.

use std::sync::{Arc, Mutex, PoisonError};

use governor::nanos::Nanos;
use tidegate_types::{Clock, Timestamp};

#[derive(Debug)]
struct Steady {
    last: Timestamp,
    nanos: u64,
}

#[derive(Clone, Debug)]
pub(super) struct SteadyClock {
    wall: Arc<dyn Clock>,
    steady: Arc<Mutex<Steady>>,
}

impl SteadyClock {
    pub(super) fn new(wall: Arc<dyn Clock>) -> Self {
        let last = wall.now();
        Self { wall, steady: Arc::new(Mutex::new(Steady { last, nanos: 0 })) }
    }
}

impl governor::clock::Clock for SteadyClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let wall = self.wall.now();
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = u64::try_from(wall.since(steady.last).as_nanos()).unwrap_or(u64::MAX);
        // Half the range, so that governor's own additions can't overflow.
        steady.nanos = steady.nanos.saturating_add(passed).min(u64::MAX / 2);
        steady.last = wall;
        Nanos::new(steady.nanos)
    }
}
