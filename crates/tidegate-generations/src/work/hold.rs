//! Whether a worker's secret is the one that holds a generation now.

use tidegate_types::{Secret, SecretKind, Timestamp};

use crate::WorkError;
use crate::store::{Lease, Row};

/// The digest of a worker's secret.
pub(super) fn digest(lease: &str) -> Result<[u8; 32], WorkError> {
    Secret::parse(SecretKind::WorkerLease, lease).map(|secret| secret.digest()).map_err(|_| WorkError::Fenced)
}

/// The lease, if this secret is the one of the present claim and has not run out. A generation
/// that the worker itself ended stays tied to its secret, so that a repeated call can be told apart
/// from that of a stranger.
pub(super) fn check(row: &Row, digest: &[u8; 32], now: Timestamp) -> Result<Lease, WorkError> {
    let lease = row.lease.filter(|lease| lease.digest == *digest).ok_or(WorkError::Fenced)?;
    let has_run_out = lease.expires_at.is_none_or(|at| at <= now);
    if row.state.record.status.is_held() && has_run_out {
        return Err(WorkError::Fenced);
    }
    Ok(lease)
}

impl Lease {
    /// The lease after a word from its worker.
    pub(super) fn renewed(self, now: Timestamp) -> Self {
        Self { expires_at: Some(now.plus(self.lasts)), ..self }
    }

    /// The lease after its worker ended the generation.
    pub(super) const fn ended(self) -> Self {
        Self { expires_at: None, ..self }
    }
}
