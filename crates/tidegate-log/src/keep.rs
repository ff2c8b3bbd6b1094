//! How much of a stream is kept.
//!
//! Owns: the rules (first match wins) and where they cut. Must not: read a store; `log/keep.rs`
//! walks the streams in bounded rounds and trims them.

use std::time::Duration;

use tidegate_types::{Offset, StreamPath, StreamPattern};

use crate::StreamInfo;

/// What a stream keeps; what is not set is not bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Records older than this are dropped.
    pub max_age: Option<Duration>,
    /// The newest records that are kept.
    pub max_records: Option<u64>,
    /// The newest bytes that are kept, as they are stored.
    pub max_bytes: Option<u64>,
}

impl Keep {
    /// Whether nothing is ever dropped.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.max_age.is_none() && self.max_records.is_none() && self.max_bytes.is_none()
    }

    /// Where the number of records alone cuts.
    pub(crate) fn cut_by_count(&self, info: &StreamInfo) -> Offset {
        match self.max_records {
            Some(most) if info.tail.since(info.start) > most => {
                Offset::new(info.tail.get().saturating_sub(most)).unwrap_or(info.start)
            }
            _ => info.start,
        }
    }
}

/// What the streams of a pattern keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// Which streams.
    pub path: StreamPattern,
    /// What they keep.
    pub keep: Keep,
}

/// The rule that holds for a stream, if there is one and it drops anything.
pub(crate) fn rule_for<'a>(rules: &'a [KeepRule], path: &StreamPath) -> Option<&'a Keep> {
    let rule = rules.iter().find(|rule| rule.path.matches(path))?;
    Some(&rule.keep).filter(|keep| !keep.is_everything())
}
