//! Where a subscription stands between two wakes: the rules, without IO.
//!
//! A wake has a generation; each new one is one higher and fences off whoever holds an older one.
//! Idle → telling → (told) → held → idle. Whatever ends a wake may be followed by the next at once.

use std::time::Duration;

use tidegate_types::{StreamPath, Timestamp};

/// Where the present wake is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is none.
    Idle,
    /// It is yet to be told: by a call, or by a record of the wake stream.
    Telling {
        /// Its id.
        wake: String,
        /// The stream that caused it.
        cause: StreamPath,
        /// How often it was tried.
        attempts: u32,
        /// When it is tried next.
        due: Timestamp,
    },
    /// A record tells of it; whoever claims it works on it.
    Told {
        /// Its id.
        wake: String,
    },
    /// Somebody works on it.
    Held {
        /// Its id.
        wake: String,
        /// The worker, if it was claimed.
        holder: Option<String>,
        /// When the lease runs out.
        until: Timestamp,
    },
}

/// Whether it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As far as is known.
    Active,
    /// The last try failed.
    Failed,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Failed => "failed",
        }
    }
}

/// Where a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of its last wake.
    pub generation: u64,
    /// Where that wake is.
    pub phase: Phase,
    /// Why it could not be told, if the last try failed.
    pub failure: Option<String>,
}

/// Somebody holds the wake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Busy {
    pub(crate) holder: String,
}

/// How often a wake is told, and how long between two tries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    pub(crate) attempts_max: u32,
    /// 0 to 255, evenly drawn: spreads subscriptions that failed together.
    pub(crate) jitter: u8,
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(600);

impl Retries {
    /// A second, then twice as long each time, up to ten minutes; up to a quarter less.
    pub(crate) fn pause(self, attempts: u32) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(PAUSE_MAX);
        doubled - doubled * u32::from(self.jitter) / 1_024
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self { generation: 0, phase: Phase::Idle, failure: None }
    }
}

impl Progress {
    /// Whether it can be told.
    #[must_use]
    pub const fn status(&self) -> Status {
        if self.failure.is_some() { Status::Failed } else { Status::Active }
    }

    /// The present wake's id.
    #[must_use]
    pub fn wake(&self) -> Option<&str> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Telling { wake, .. } | Phase::Told { wake } | Phase::Held { wake, .. } => Some(wake),
        }
    }

    /// When something is to be done without anybody asking.
    #[must_use]
    pub const fn due(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Idle | Phase::Told { .. } => None,
            Phase::Telling { due, .. } => Some(*due),
            Phase::Held { until, .. } => Some(*until),
        }
    }

    /// Whether no wake is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// Whether a request names the wake that is under way.
    pub(crate) fn is_wake(&self, generation: u64, wake: &str) -> bool {
        self.generation == generation && self.wake() == Some(wake)
    }

    /// A new wake, if none is under way.
    pub(crate) fn begin(&mut self, wake: String, cause: StreamPath, now: Timestamp) {
        if self.is_idle() {
            self.generation += 1;
            self.phase = Phase::Telling { wake, cause, attempts: 0, due: now };
        }
    }

    /// A record of the wake stream tells of it now.
    pub(crate) fn recorded(&mut self) {
        if let Phase::Telling { wake, .. } = &mut self.phase {
            self.phase = Phase::Told { wake: std::mem::take(wake) };
            self.failure = None;
        }
    }

    /// The webhook took the wake and works on it.
    pub(crate) fn taken(&mut self, now: Timestamp, lease: Duration) {
        if let Phase::Telling { wake, .. } = &mut self.phase {
            self.phase = Phase::Held { wake: std::mem::take(wake), holder: None, until: now.plus(lease) };
        }
        self.failure = None;
    }

    /// It could not be told. After the last try a webhook's wake is given up (new records make a
    /// new one), and a wake of workers stays to be claimed.
    pub(crate) fn failed(&mut self, why: String, now: Timestamp, retries: Retries, workers: bool) {
        if let Phase::Telling { wake, attempts, due, .. } = &mut self.phase {
            if *attempts < retries.attempts_max {
                *due = now.plus(retries.pause(*attempts));
            } else if workers {
                self.phase = Phase::Told { wake: std::mem::take(wake) };
            } else {
                self.phase = Phase::Idle;
            }
            self.failure = Some(why);
        }
    }

    /// There is no sense in trying again; new records make a new wake.
    pub(crate) fn give_up(&mut self, why: String) {
        self.phase = Phase::Idle;
        self.failure = Some(why);
    }

    /// What failed may work now: the next try is at once, and counts as the first.
    pub(crate) fn retry(&mut self, now: Timestamp) {
        if let Phase::Telling { attempts, due, .. } = &mut self.phase {
            *attempts = 0;
            *due = now;
        }
        self.failure = None;
    }

    /// A worker takes the wake.
    pub(crate) fn claim(&mut self, worker: &str, now: Timestamp, lease: Duration) -> Result<(), Busy> {
        match &mut self.phase {
            Phase::Held { holder, .. } => Err(Busy { holder: holder.clone().unwrap_or_default() }),
            Phase::Idle => Ok(()),
            Phase::Telling { wake, .. } | Phase::Told { wake } => {
                let (wake, holder) = (std::mem::take(wake), Some(worker.to_owned()));
                self.phase = Phase::Held { wake, holder, until: now.plus(lease) };
                Ok(())
            }
        }
    }

    /// Whoever works on the wake is alive: the lease begins anew.
    pub(crate) fn renew(&mut self, now: Timestamp, lease: Duration) {
        match &mut self.phase {
            Phase::Held { until, .. } => *until = now.plus(lease),
            // A callback may arrive before the answer to the call that it belongs to.
            Phase::Telling { .. } => self.taken(now, lease),
            Phase::Idle | Phase::Told { .. } => {}
        }
    }

    /// The wake is over.
    pub(crate) fn end(&mut self) {
        self.phase = Phase::Idle;
    }

    /// Whether the lease has run out.
    pub(crate) fn has_lapsed(&self, now: Timestamp) -> bool {
        matches!(&self.phase, Phase::Held { until, .. } if *until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn begun() -> Progress {
        let mut progress = Progress::default();
        progress.begin("w1".into(), "a".parse().unwrap(), at(0));
        progress
    }

    #[test]
    fn a_second_wake_does_not_begin_before_the_first_ends() {
        let mut progress = begun();
        progress.begin("w2".into(), "b".parse().unwrap(), at(1));
        assert_eq!((progress.generation, progress.wake()), (1, Some("w1")));
        progress.end();
        progress.begin("w2".into(), "b".parse().unwrap(), at(2));
        assert_eq!((progress.generation, progress.wake()), (2, Some("w2")));
        assert!(!progress.is_wake(1, "w1") && progress.is_wake(2, "w2"));
    }

    #[test]
    fn one_worker_holds_a_wake_until_its_lease_runs_out() {
        let mut progress = begun();
        progress.recorded();
        assert_eq!(progress.claim("one", at(1), LEASE), Ok(()));
        assert_eq!(progress.claim("two", at(2), LEASE), Err(Busy { holder: "one".into() }));
        progress.renew(at(20), LEASE);
        assert!(!progress.has_lapsed(at(49)) && progress.has_lapsed(at(50)));
    }

    #[test]
    fn a_webhook_is_given_up_after_the_last_try_and_a_worker_can_still_claim() {
        let retries = Retries { attempts_max: 2, jitter: 0 };
        for workers in [false, true] {
            let mut progress = begun();
            for attempt in 1..=2 {
                if let Phase::Telling { attempts, .. } = &mut progress.phase {
                    *attempts = attempt;
                }
                progress.failed("no".into(), at(10), retries, workers);
            }
            assert_eq!(progress.status(), Status::Failed);
            assert_eq!(progress.is_idle(), !workers);
            assert_eq!(progress.claim("one", at(11), LEASE), Ok(()));
        }
    }

    #[test]
    fn pauses_double_up_to_ten_minutes_and_are_spread() {
        let pause = |attempts, jitter| Retries { attempts_max: 9, jitter }.pause(attempts).as_millis();
        assert_eq!((pause(1, 0), pause(2, 0), pause(5, 0), pause(40, 0)), (1_000, 2_000, 16_000, 600_000));
        assert!((750..1_000).contains(&pause(1, 255)));
    }

    #[test]
    fn a_callback_that_overtakes_the_answer_takes_the_wake() {
        let mut progress = begun();
        progress.renew(at(5), LEASE);
        assert_eq!(progress.due(), Some(at(35)));
        progress.end();
        // The answer to the call comes after: nothing of it counts any more.
        progress.taken(at(6), LEASE);
        assert!(progress.is_idle());
    }
}
