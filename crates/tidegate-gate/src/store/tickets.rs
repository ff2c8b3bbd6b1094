//! What tickets and leases ask of a store.

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{LeaseId, Timestamp};

use crate::audit::AuditRow;
use crate::tickets::{NewTicket, OpenAttempt, Opening, StoredTicket, TicketKey};

/// Keeps tickets, leases and their tags.
#[async_trait]
pub trait TicketStore: Send + Sync {
    /// Adds a ticket, with the audit row that tells of it, in one transaction.
    async fn insert_ticket(&self, ticket: NewTicket, audit: AuditRow) -> Result<(), DbError>;

    /// The ticket and, when it is spent, its lease. Changes nothing.
    async fn find_ticket(&self, key: TicketKey) -> Result<Option<StoredTicket>, DbError>;

    /// Decides and does, in one transaction: spends the ticket, resumes its lease, kills it, or
    /// refuses and changes nothing. Of any number of callers with one unspent ticket, one wins.
    async fn open_ticket(&self, attempt: OpenAttempt) -> Result<Opening, DbError>;

    /// Notes when the last connections of these leases ended.
    async fn end_leases(&self, ended: Vec<(LeaseId, Timestamp)>, idle_ms: i64) -> Result<(), DbError>;

    /// Drops at most `limit` tickets that nobody can spend, and as many leases that nobody can resume. Answers how
    /// many rows it looked at: with `limit` there may be more.
    async fn sweep_tickets(&self, now: Timestamp, limit: u32) -> Result<u64, DbError>;
}
