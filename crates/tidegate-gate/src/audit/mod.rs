//! The audit: who did what, when, from where, with what result.
//!
//! Owns: the kinds of events and the chain of hashes.
//! Must not: hold or write a secret; ids and digests stand in for them.

mod chain;
mod event;

use tidegate_db::DbError;

use crate::Gate;

pub(crate) use chain::chain_hash;
pub use event::{
    Actor, AuditEntry, AuditEvent, AuditFilter, AuditKind, AuditOrder, AuditPage, AuditRow, AuditVerdict,
};

impl Gate {
    /// Reports an event to the audit.
    pub async fn audit(&self, event: AuditEvent) {
        let row = event.at(self.now());
        if let Err(error) = self.inner.store.append_audit(vec![row]).await {
            tracing::error!(%error, "the audit could not be written");
        }
    }

    /// One page of the audit.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_audit(&self, filter: AuditFilter, page: AuditPage) -> Result<Vec<AuditEntry>, DbError> {
        self.inner.store.list_audit(filter, page).await
    }

    /// Walks the whole chain of the audit.
    ///
    /// # Errors
    /// The store failed.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, DbError> {
        self.inner.store.verify_audit().await
    }
}
