//! Deleted documents, and what is left of them.

use rusqlite::{Connection, Transaction, params};
use tidegate_db::DbError;
use tidegate_types::DocumentId;

use super::{count, number_of, read};
use crate::store::Removal;

pub(super) fn remove(tx: &Transaction<'_>, id: DocumentId) -> Result<bool, DbError> {
    let Some(number) = number_of(tx, id)? else { return Ok(false) };
    tx.prepare_cached("INSERT INTO document_removals (document, id) VALUES (?1, ?2)")?
        .execute(params![number, id.to_string()])?;
    tx.prepare_cached("DELETE FROM documents WHERE seq = ?1")?.execute([number])?;
    Ok(true)
}

pub(super) fn list(conn: &Connection, limit: usize) -> Result<Vec<Removal>, DbError> {
    let mut statement =
        conn.prepare_cached("SELECT document, id FROM document_removals ORDER BY document LIMIT ?1")?;
    let mut rows = statement.query([count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Removal { number: row.get(0)?, id: read::id(&row.get::<_, String>(1)?)? });
    }
    Ok(found)
}
