//! Revocations in SQLite.

use rusqlite::{Row, Transaction, params};
use tidegate_db::{Db, DbError};
use tidegate_types::Timestamp;

use super::append_audit_in;
use crate::audit::AuditRow;
use crate::revocation::{NewRevocation, Revocation, RevocationScope};

/// Adds revocations within a transaction of the caller, so that the cause and its effect are
/// committed together. After the commit call `Gate::apply_revocations` with the same list.
pub(crate) fn insert_revocations_in(tx: &Transaction<'_>, new: &[NewRevocation]) -> Result<(), DbError> {
    let mut insert = tx
        .prepare_cached("INSERT INTO revocations (scope, subject, not_before, at) VALUES (?1, ?2, ?3, ?4)")?;
    for revocation in new {
        insert.execute(params![
            revocation.scope.as_str(),
            revocation.subject,
            revocation.not_before.as_millis(),
            revocation.at.as_millis()
        ])?;
    }
    Ok(())
}

pub(super) async fn insert(db: &Db, new: Vec<NewRevocation>, audit: Vec<AuditRow>) -> Result<(), DbError> {
    db.write(move |tx| {
        insert_revocations_in(tx, &new)?;
        append_audit_in(tx, &audit)
    })
    .await
}

pub(super) async fn list(db: &Db, after: i64, limit: u32) -> Result<Vec<Revocation>, DbError> {
    db.read(move |conn| {
        let mut statement = conn.prepare_cached(
            "SELECT id, scope, subject, not_before, at FROM revocations WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let rows = statement.query_map(params![after, limit], revocation)?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    })
    .await
}

fn revocation(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    let scope: String = row.get(1)?;
    Ok(Revocation {
        id: row.get(0)?,
        revoked: NewRevocation {
            // The column's own check lets no other word in.
            scope: RevocationScope::from_word(&scope).unwrap_or(RevocationScope::Session),
            subject: row.get(2)?,
            not_before: Timestamp::from_millis(row.get(3)?),
            at: Timestamp::from_millis(row.get(4)?),
        },
    })
}

pub(super) async fn sweep(db: &Db, before: Timestamp, limit: u32) -> Result<u64, DbError> {
    db.write(move |tx| {
        let gone = tx
            .prepare_cached(
                "DELETE FROM revocations WHERE id IN
                 (SELECT id FROM revocations WHERE at < ?1 ORDER BY at LIMIT ?2)",
            )?
            .execute(params![before.as_millis(), limit])?;
        Ok(u64::try_from(gone).unwrap_or(0))
    })
    .await
}
