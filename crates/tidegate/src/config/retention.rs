//! `[retention]`: how long things are kept.

use super::Refusal;
use super::spec::section;

section! {
    /// How long things are kept.
    RetentionConfig in "retention" {
        /// Days that events stay in a user's feed.
        feed_days: u32 = 30, Number;
        /// Days that a finished generation and its stream are kept.
        generation_days: u32 = 90, Number;
        /// Days that the audit log is kept.
        audit_days: u32 = 180, Number;
    }
}

impl RetentionConfig {
    pub(super) fn check(&self, refusals: &mut Vec<Refusal>) {
        let days = [
            ("feed_days", self.feed_days),
            ("generation_days", self.generation_days),
            ("audit_days", self.audit_days),
        ];
        for (name, value) in days {
            if !(1..=36_500).contains(&value) {
                refusals.push(Refusal::new(
                    format!("retention.{name}"),
                    format!("= {value} is out of range"),
                    "use 1 to 36500 days",
                ));
            }
        }
    }
}
