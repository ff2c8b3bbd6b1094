//! The protocol's cursor for caches: the number of a 20-second interval.
//!
//! Owns: its rule that an answer's cursor is always greater than the one that was sent.
//! Must not: be confused with an offset: it says nothing about a position.

use tidegate_types::{Entropy, Timestamp};

/// 2024-10-09T00:00:00Z, the protocol's epoch.
const EPOCH_SECONDS: i64 = 1_728_432_000;
const INTERVAL_SECONDS: i64 = 20;
const JITTER_SECONDS_MAX: u32 = 3_600;

/// The interval of this time.
pub(crate) fn interval(now: Timestamp) -> u64 {
    let seconds = now.as_secs().saturating_sub(EPOCH_SECONDS);
    u64::try_from(seconds.div_euclid(INTERVAL_SECONDS)).unwrap_or(0)
}

/// The cursor of an answer to a client that echoed `sent`.
pub(crate) fn next_cursor(sent: Option<u64>, now: Timestamp, entropy: &dyn Entropy) -> u64 {
    let current = interval(now);
    match sent {
        Some(sent) if sent >= current => {
            let jitter = i64::from(entropy.in_range(1, JITTER_SECONDS_MAX)) / INTERVAL_SECONDS;
            sent.saturating_add(u64::try_from(jitter).unwrap_or(0).max(1))
        }
        _ => current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_types::OsEntropy;

    #[test]
    fn a_cursor_never_stands_still_or_goes_back() {
        let now = Timestamp::from_millis(1_763_690_000_000);
        let current = interval(now);
        assert_eq!(next_cursor(None, now, &OsEntropy), current);
        assert_eq!(next_cursor(Some(current - 1), now, &OsEntropy), current);
        for sent in [current, current + 500, u64::MAX - 1_000] {
            assert!(next_cursor(Some(sent), now, &OsEntropy) > sent);
        }
    }

    #[test]
    fn times_before_the_epoch_are_interval_zero() {
        assert_eq!(interval(Timestamp::from_millis(0)), 0);
    }
}
