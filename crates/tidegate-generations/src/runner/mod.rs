//! Built-in frameworks and the worker that runs them inside the node.
//!
//! Owns: what a framework is, the job that it is handed, and a worker of the node's own that
//! claims, renews, hears of cancels, ends and hands back.
//! Must not: have a way to a generation that outside workers have not; it claims and reports through
//! the same calls, under a lease that can be lost like theirs.

mod framework;
mod held;
mod job;
mod serve;

use uuid::Uuid;

pub use framework::{Failure, Framework, Rejected};
pub use job::Job;
pub use serve::Runner;

use crate::Claim;

/// What stands for a key in the leases of the node's own worker.
const OWN_KEY: Uuid = Uuid::nil();

impl Claim {
    /// Whether the node's own worker asks.
    pub(crate) fn is_own(&self) -> bool {
        self.key_id.as_uuid() == OWN_KEY
    }
}
