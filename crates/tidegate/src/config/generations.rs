//! `[generations]`: long-running jobs and the workers that run them.

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::spec::section;

/// Whether workers have to sign terminal calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signatures {
    /// A signature is checked if one is sent.
    #[default]
    Optional,
    /// Without a good signature: 401.
    Required,
}

section! {
    /// Long-running jobs.
    GenerationsConfig in "generations" {
        /// Frameworks that outside workers claim.
        external: Vec<String> = ["external", "master_mode", "codegen"].map(str::to_owned).to_vec(), List;
        /// How often a generation is tried before a lost worker or a retryable failure ends it; default: limits.generation_attempts.
        max_attempts: Option<u32> = None, Number;
        /// Whether `complete` and `fail` need Standard Webhooks signatures: `optional` or `required`.
        signatures: Signatures = Signatures::Optional, Text;
    }
}

impl GenerationsConfig {
    pub(super) fn check(&self, refusals: &mut Vec<Refusal>) {
        if let Some(attempts) = self.max_attempts.filter(|attempts| !(1..=100).contains(attempts)) {
            refusals.push(Refusal::new(
                "generations.max_attempts",
                format!("= {attempts} is out of range"),
                "use 1 to 100",
            ));
        }
        let well_formed = |name: &String| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        if let Some(bad) = self.external.iter().find(|name| !well_formed(name)) {
            refusals.push(Refusal::new(
                "generations.external",
                format!("= {bad} is not a framework's name"),
                "use 1 to 64 of A-Z a-z 0-9 _ . -",
            ));
        }
    }
}
