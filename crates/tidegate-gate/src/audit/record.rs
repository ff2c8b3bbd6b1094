//! What the gate offers of its audit.

use std::net::IpAddr;

use tidegate_db::DbError;
use tidegate_types::ErrorCode;

use super::{Actor, AuditEntry, AuditEvent, AuditFilter, AuditKind, AuditPage, AuditVerdict};
use crate::{Gate, network_of};

impl Gate {
    /// Reports an event. It is written within about a second, many in one commit; a full buffer
    /// makes the caller wait rather than lose it.
    pub async fn audit(&self, event: AuditEvent) {
        self.audit_buffer().record(event).await;
    }

    /// Counts a refused request in the sums of its minute; who asks is not looked at. Never
    /// waits, and takes no more room however many there are. What the gate refused itself it
    /// has audited itself, so that is left out.
    pub fn count_refusal(&self, code: ErrorCode, address: IpAddr) {
        let refused = matches!(code.status(), 401 | 403 | 421 | 429);
        let told = matches!(
            code,
            ErrorCode::TicketInvalid
                | ErrorCode::CredentialInUrl
                | ErrorCode::InvalidCredentials
                | ErrorCode::RefreshReused
        );
        if refused && !told {
            let mut event = AuditEvent::new(AuditKind::Refusal, Actor::Anonymous)
                .detail(serde_json::json!({ "code": code.as_str() }));
            event.address = Some(network_of(address));
            self.audit_buffer().push(event);
        }
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
