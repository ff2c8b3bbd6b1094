//! What revocation asks of a store.

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::Timestamp;

use crate::audit::AuditRow;
use crate::revocation::{NewRevocation, Revocation};

/// Keeps revocations for as long as something issued before them could still be shown.
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// Adds revocations, with the audit rows that tell of them, in one transaction.
    async fn insert_revocations(&self, new: Vec<NewRevocation>, audit: Vec<AuditRow>) -> Result<(), DbError>;

    /// Revocations numbered above `after`, in order.
    async fn list_revocations(&self, after: i64, limit: u32) -> Result<Vec<Revocation>, DbError>;

    /// Drops at most `limit` revocations older than `before`; answers how many.
    async fn sweep_revocations(&self, before: Timestamp, limit: u32) -> Result<u64, DbError>;
}
