//! `[[access]]`: who may read and write streams under `/v1/stream`, first match wins.

use serde::{Deserialize, Serialize};
use tidegate_types::{RESERVED_PREFIXES, StreamPattern};

use super::Refusal;

/// A group of callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Everybody, signed in or not.
    Anyone,
    /// Any signed-in user, and services.
    User,
    /// Any API key.
    Service,
    /// Only keys with a matching scope, and owners.
    #[default]
    Nobody,
}

/// One rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// Which paths, e.g. `public/**`.
    pub path: StreamPattern,
    /// Who may read.
    #[serde(default)]
    pub read: Who,
    /// Who may create, append, close and delete.
    #[serde(default)]
    pub write: Who,
    /// Who may subscribe to what they may read.
    #[serde(default)]
    pub subscribe: Who,
}

pub(super) fn check(rules: &[AccessRule], refusals: &mut Vec<Refusal>) {
    for rule in rules {
        let first = rule.path.as_str().split('/').next().unwrap_or_default();
        if RESERVED_PREFIXES.contains(&first) || first == "__ds" {
            refusals.push(Refusal::new(
                "[[access]] path",
                format!("= {} is under a reserved prefix, which no rule can open", rule.path.as_str()),
                "choose another prefix",
            ));
        }
    }
}
