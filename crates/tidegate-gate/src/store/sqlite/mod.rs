//! The gate's tables in SQLite. One file per concept; this one joins them to the traits.

mod audit;
mod idempotency;
mod keys;
mod openings;
mod own;
mod revocations;
mod sessions;
mod standing;
mod tickets;
mod users;

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::{KeyId, LeaseId, SessionId, Timestamp, UserId};

use super::{AuditStore, RevocationStore, Standing, StandingStore, TicketStore};
use crate::audit::{AuditEntry, AuditFilter, AuditPage, AuditRow, AuditVerdict};
use crate::revocation::{NewRevocation, Revocation};
use crate::tickets::{NewTicket, OpenAttempt, Opening, StoredTicket, TicketKey};

pub(crate) use audit::append_audit_in;
pub(crate) use revocations::insert_revocations_in;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The store of the gate in SQLite.
#[derive(Clone, Debug)]
pub struct SqliteGate {
    db: Db,
    openings: openings::Openings,
    swept: Arc<tickets::SweptTo>,
}

impl SqliteGate {
    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A migration fails.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        db.migrate("gate", embedded::migrations::runner()).await?;
        Ok(Self { db, openings: openings::Openings::default(), swept: Arc::default() })
    }
}

impl super::GateStore for SqliteGate {}

fn corrupt(what: &str) -> DbError {
    DbError::Bug(format!("a stored {what} cannot be read"))
}

#[async_trait]
impl AuditStore for SqliteGate {
    async fn append_audit(&self, rows: Arc<Vec<AuditRow>>) -> Result<(), DbError> {
        audit::append(&self.db, rows).await
    }

    async fn list_audit(&self, filter: AuditFilter, page: AuditPage) -> Result<Vec<AuditEntry>, DbError> {
        audit::list(&self.db, filter, page).await
    }

    async fn verify_audit(&self) -> Result<AuditVerdict, DbError> {
        audit::verify(&self.db).await
    }

    async fn trim_audit(&self, before: Timestamp, limit: u32) -> Result<u64, DbError> {
        audit::trim(&self.db, before, limit).await
    }
}

#[async_trait]
impl RevocationStore for SqliteGate {
    async fn insert_revocations(&self, new: Vec<NewRevocation>, audit: Vec<AuditRow>) -> Result<(), DbError> {
        revocations::insert(&self.db, new, audit).await
    }

    async fn list_revocations(&self, after: i64, limit: u32) -> Result<Vec<Revocation>, DbError> {
        revocations::list(&self.db, after, limit).await
    }

    async fn sweep_revocations(&self, before: Timestamp, limit: u32) -> Result<u64, DbError> {
        revocations::sweep(&self.db, before, limit).await
    }
}

#[async_trait]
impl TicketStore for SqliteGate {
    async fn insert_ticket(&self, ticket: NewTicket, audit: AuditRow) -> Result<(), DbError> {
        tickets::insert(&self.db, ticket, audit).await
    }

    async fn find_ticket(&self, key: TicketKey) -> Result<Option<StoredTicket>, DbError> {
        tickets::find(&self.db, key).await
    }

    async fn open_ticket(&self, attempt: OpenAttempt) -> Result<Opening, DbError> {
        self.openings.open(&self.db, attempt).await
    }

    async fn end_leases(&self, ended: Vec<(LeaseId, Timestamp)>, idle_ms: i64) -> Result<(), DbError> {
        tickets::end_leases(&self.db, ended, idle_ms).await
    }

    async fn sweep_tickets(&self, now: Timestamp, limit: u32) -> Result<u64, DbError> {
        tickets::sweep(&self.db, &self.swept, now, limit).await
    }
}

#[async_trait]
impl StandingStore for SqliteGate {
    async fn find_user_standing(
        &self,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<Option<Standing>, DbError> {
        standing::of_user(&self.db, user, session).await
    }

    async fn find_key_standing(&self, key: KeyId) -> Result<Option<Standing>, DbError> {
        standing::of_key(&self.db, key).await
    }
}
