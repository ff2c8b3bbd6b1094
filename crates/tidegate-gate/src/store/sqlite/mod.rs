//! The gate's tables in SQLite. One file per concept; this one joins them to the traits.

mod audit;
mod revocations;

use async_trait::async_trait;
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::Timestamp;

use super::{AuditStore, RevocationStore};
use crate::audit::{AuditEntry, AuditFilter, AuditPage, AuditRow, AuditVerdict};
use crate::revocation::{NewRevocation, Revocation};

pub(crate) use audit::append_audit_in;
#[cfg_attr(not(test), expect(unused_imports, reason = "the writes that need it come next"))]
pub(crate) use revocations::insert_revocations_in;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The store of the gate in SQLite.
#[derive(Clone, Debug)]
pub struct SqliteGate {
    db: Db,
}

impl SqliteGate {
    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A migration fails.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        db.migrate("gate", embedded::migrations::runner()).await?;
        Ok(Self { db })
    }
}

#[async_trait]
impl AuditStore for SqliteGate {
    async fn append_audit(&self, rows: Vec<AuditRow>) -> Result<(), DbError> {
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
