//! Refusals, summed up per minute, so that a flood of bad requests can't fill the disk.

use std::collections::HashMap;
use std::net::IpAddr;

use serde_json::json;
use tidegate_types::Timestamp;

use super::{Actor, AuditEvent, AuditKind, AuditRow};

/// Single rows of one kind that a minute may hold before the rest is summed up.
const SINGLES_PER_MINUTE: u32 = 100;
/// Different sums of one minute; what comes after is summed without its address.
const SUMS_PER_MINUTE: usize = 512;
const MINUTE_MILLIS: i64 = 60_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SumKey {
    kind: AuditKind,
    code: String,
    address: Option<IpAddr>,
}

/// The sums of the minute that is running.
#[derive(Debug, Default)]
pub(super) struct Sums {
    minute: i64,
    singles: HashMap<AuditKind, u32>,
    sums: HashMap<SumKey, u64>,
}

impl Sums {
    /// Takes the event into a sum, or gives it back to be stored by itself.
    pub(super) fn take(&mut self, event: AuditEvent, now: Timestamp) -> Option<AuditEvent> {
        if !is_refusal(event.kind) {
            return Some(event);
        }
        let always = event.kind == AuditKind::Refusal && event.actor == Actor::Anonymous;
        if !always {
            let minute = now.as_millis().div_euclid(MINUTE_MILLIS);
            if self.minute != minute && self.sums.is_empty() {
                self.minute = minute;
                self.singles.clear();
            }
            let singles = self.singles.entry(event.kind).or_insert(0);
            if *singles < SINGLES_PER_MINUTE {
                *singles += 1;
                return Some(event);
            }
        }
        self.add(&event, now);
        None
    }

    fn add(&mut self, event: &AuditEvent, now: Timestamp) {
        if self.sums.is_empty() {
            self.minute = now.as_millis().div_euclid(MINUTE_MILLIS);
        }
        let code = event.detail.get("code").and_then(|c| c.as_str()).unwrap_or_default().to_owned();
        let mut key = SumKey { kind: event.kind, code, address: event.address };
        if self.sums.len() >= SUMS_PER_MINUTE && !self.sums.contains_key(&key) {
            // Codes come from a closed list, so these keys are few.
            key.address = None;
        }
        *self.sums.entry(key).or_insert(0) += 1;
    }

    /// The rows of a minute that is over; of any minute with `all`.
    pub(super) fn drain(&mut self, now: Timestamp, all: bool) -> Vec<AuditRow> {
        let over = now.as_millis().div_euclid(MINUTE_MILLIS) != self.minute;
        if self.sums.is_empty() || !(over || all) {
            return Vec::new();
        }
        self.singles.clear();
        let minute = Timestamp::from_millis(self.minute.saturating_mul(MINUTE_MILLIS));
        self.sums
            .drain()
            .map(|(key, count)| {
                let mut event = AuditEvent::new(key.kind, Actor::Anonymous)
                    .detail(json!({ "code": key.code, "count": count, "minute": minute }));
                event.address = key.address;
                event.at(now)
            })
            .collect()
    }
}

fn is_refusal(kind: AuditKind) -> bool {
    matches!(
        kind,
        AuditKind::Refusal
            | AuditKind::CredentialInUrl
            | AuditKind::OriginMismatch
            | AuditKind::SignInRefused
    )
}
