//! `[[retain]]`: how much of a stream under `/v1/stream` is kept, first match wins.

use serde::{Deserialize, Serialize};
use tidegate_types::{RESERVED_PREFIXES, StreamPattern};

use super::{Lifetime, Refusal};

/// One rule. A rule that sets no bound keeps everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetainRule {
    /// Which paths, e.g. `public/**`.
    pub path: StreamPattern,
    /// Records older than this are dropped, like `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Lifetime>,
    /// The newest records that are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_records: Option<u64>,
    /// The newest bytes that are kept, as they are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

pub(super) fn check(rules: &[RetainRule], refusals: &mut Vec<Refusal>) {
    for rule in rules {
        let path = rule.path.as_str();
        let first = path.split('/').next().unwrap_or_default();
        if RESERVED_PREFIXES.contains(&first) || first == "__ds" {
            refusals.push(Refusal::new(
                "[[retain]] path",
                format!("= {path} is under a reserved prefix, which has settings of its own"),
                "use [retention] for the server's own streams",
            ));
        }
        let nothing = rule.max_age.is_some_and(|age| age.as_secs() == 0)
            || rule.max_records == Some(0)
            || rule.max_bytes == Some(0);
        if nothing {
            refusals.push(Refusal::new(
                format!("[[retain]] {path}"),
                "has a bound of 0, which would keep nothing",
                "leave the bound out to keep everything, or use 1 or more",
            ));
        }
    }
}
