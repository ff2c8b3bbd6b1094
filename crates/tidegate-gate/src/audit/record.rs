//! What the gate offers of its audit.

use tidegate_db::DbError;

use super::{AuditEntry, AuditEvent, AuditFilter, AuditPage, AuditVerdict};
use crate::Gate;

impl Gate {
    /// Reports an event. It is written within about a second, many in one commit; a full buffer
    /// makes the caller wait rather than lose it.
    pub async fn audit(&self, event: AuditEvent) {
        self.audit_buffer().record(event).await;
    }

    /// Reports an event and waits until it is on stable storage.
    ///
    /// # Errors
    /// The store failed; the event waits for the next try.
    pub async fn audit_durably(&self, event: AuditEvent) -> Result<(), DbError> {
        self.audit_buffer().push(event);
        self.audit_buffer().flush().await
    }

    /// One page of the audit, everything that was reported before the call included.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_audit(&self, filter: AuditFilter, page: AuditPage) -> Result<Vec<AuditEntry>, DbError> {
        let limit =
            page.limit.min(usize::try_from(self.inner.limits.page_items).unwrap_or(usize::MAX)).max(1);
        self.audit_buffer().flush_all().await?;
        self.inner.store.list_audit(filter, AuditPage { limit, ..page }).await
    }

    /// Walks the whole chain of the audit.
    ///
    /// # Errors
    /// The store failed.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, DbError> {
        self.audit_buffer().flush_all().await?;
        self.inner.store.verify_audit().await
    }

    /// Writes whatever still waits; the last thing before the process ends.
    ///
    /// # Errors
    /// The store failed.
    pub async fn flush_audit(&self) -> Result<(), DbError> {
        self.audit_buffer().flush_all().await
    }
}
