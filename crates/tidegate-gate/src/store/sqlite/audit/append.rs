//! Adding events to the end of the chain.

use rusqlite::{Transaction, params};
use tidegate_db::{Db, DbError};

use super::{signed, unsigned};
use crate::audit::{AuditRow, Batch, ChainEnd};

/// Chains rows to the end of the audit, within a transaction of the caller: what is audited and
/// its row are committed together or not at all.
pub(crate) fn append_audit_in(tx: &Transaction<'_>, rows: &[AuditRow]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut end =
        tx.prepare_cached("SELECT head_seq, head_hash, head_at FROM audit_chain")?.query_row([], |row| {
            Ok(ChainEnd { seq: unsigned(row.get(0)?), hash: row.get(1)?, at: row.get(2)? })
        })?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO audit_batches (first_seq, last_seq, first_at, last_at, terms, hashes, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut rest = rows;
    while let Some((batch, after)) = Batch::pack(&mut end, rest)? {
        insert.execute(params![
            signed(batch.first_seq),
            signed(batch.last_seq),
            batch.first_at,
            batch.last_at,
            batch.terms,
            batch.hashes,
            batch.body
        ])?;
        rest = after;
    }
    tx.prepare_cached("UPDATE audit_chain SET head_seq = ?1, head_hash = ?2, head_at = ?3")?
        .execute(params![signed(end.seq), end.hash, end.at])?;
    Ok(())
}

pub(in super::super) async fn append(db: &Db, rows: std::sync::Arc<Vec<AuditRow>>) -> Result<(), DbError> {
    db.write(move |tx| append_audit_in(tx, &rows)).await
}
