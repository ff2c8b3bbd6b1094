//! What the audit asks of a store.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::Timestamp;

use crate::audit::{AuditEntry, AuditFilter, AuditPage, AuditRow, AuditVerdict};

/// Keeps the audit.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Chains rows to the end, in this order, in one transaction.
    async fn append_audit(&self, rows: Arc<Vec<AuditRow>>) -> Result<(), DbError>;

    /// One page of the rows that the filter lets through.
    async fn list_audit(&self, filter: AuditFilter, page: AuditPage) -> Result<Vec<AuditEntry>, DbError>;

    /// Walks the whole chain.
    async fn verify_audit(&self) -> Result<AuditVerdict, DbError>;

    /// Drops the oldest rows, all older than `before`, in the batches in which they were written, until at least
    /// `limit` are gone; answers how many.
    async fn trim_audit(&self, before: Timestamp, limit: u32) -> Result<u64, DbError>;
}
