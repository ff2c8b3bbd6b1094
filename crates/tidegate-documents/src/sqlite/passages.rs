//! Passages, written and read. The index follows by triggers, in the same transaction.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use tidegate_db::DbError;
use tidegate_types::{DocumentId, Timestamp, UserId};

use super::{corrupt, count, number_of, read};
use crate::{NewPassage, Passage};

/// The columns of a passage, for [`passage`]; `p` is the table.
pub(super) const COLUMNS: &str = "p.id, p.ordinal, p.page, p.heading, p.text, p.start_byte, p.end_byte";

pub(super) fn insert(
    tx: &Transaction<'_>,
    id: DocumentId,
    passages: &[NewPassage],
    now: Timestamp,
) -> Result<bool, DbError> {
    let found: Option<(i64, String)> = tx
        .prepare_cached("SELECT seq, owner_id FROM documents WHERE id = ?1 AND status = 'processing'")?
        .query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((number, owner)) = found else { return Ok(false) };
    let owner = owner.parse().map_err(|_| corrupt("owner"))?;
    let scope = format!("{} {}", owner_word(owner), document_word(number));
    let mut statement = tx.prepare_cached(
        "INSERT INTO passages (document, ordinal, page, heading, lead, text, start_byte, end_byte, scope)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for passage in passages {
        statement.execute(params![
            number,
            passage.ordinal,
            passage.page,
            passage.heading,
            passage.lead,
            passage.text,
            count(passage.start),
            count(passage.end()),
            scope,
        ])?;
    }
    let text_end = passages.iter().map(NewPassage::end).max().unwrap_or(0);
    tx.prepare_cached(
        "UPDATE documents SET passages = passages + ?2, text_bytes = max(text_bytes, ?3), updated_at = ?4
         WHERE seq = ?1",
    )?
    .execute(params![number, count(passages.len()), count(text_end), now.as_millis()])?;
    Ok(true)
}

/// One word for an owner, ending in a digit so that no stemmer touches it.
pub(super) fn owner_word(owner: UserId) -> String {
    format!("o{}0", owner.as_uuid().simple())
}

pub(super) fn document_word(number: i64) -> String {
    format!("d{number}")
}

pub(super) fn remove_all(tx: &Transaction<'_>, number: i64) -> Result<(), DbError> {
    tx.prepare_cached("DELETE FROM passages WHERE document = ?1")?.execute([number])?;
    Ok(())
}

pub(super) fn purge(tx: &Transaction<'_>, number: i64, limit: usize) -> Result<bool, DbError> {
    let removed = tx
        .prepare_cached(
            "DELETE FROM passages WHERE id IN
                (SELECT id FROM passages WHERE document = ?1 ORDER BY ordinal LIMIT ?2)",
        )?
        .execute(params![number, count(limit)])?;
    Ok(removed < limit)
}

pub(super) fn list(
    conn: &Connection,
    id: DocumentId,
    ordinals: &Range<u32>,
) -> Result<Vec<Passage>, DbError> {
    let Some(number) = number_of(conn, id)? else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM passages p WHERE p.document = ?1 AND p.ordinal >= ?2 AND p.ordinal < ?3
         ORDER BY p.ordinal"
    ))?;
    let mut rows = statement.query(params![number, ordinals.start, ordinals.end])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(passage(row, id)?);
    }
    Ok(found)
}

pub(super) fn passage(row: &Row<'_>, document_id: DocumentId) -> Result<Passage, DbError> {
    let place = |column: usize| usize::try_from(row.get::<_, i64>(column)?).map_err(|_| corrupt("place"));
    Ok(Passage {
        id: row.get(0)?,
        document_id,
        ordinal: row.get(1)?,
        page: row.get(2)?,
        heading: row.get(3)?,
        text: row.get(4)?,
        start: place(5)?,
        end: place(6)?,
    })
}

pub(super) fn text(conn: &Connection, id: DocumentId) -> Result<Option<String>, DbError> {
    if read::lookup(conn, id)?.is_none() {
        return Ok(None);
    }
    let Some(number) = number_of(conn, id)? else { return Ok(None) };
    let mut statement =
        conn.prepare_cached("SELECT lead, text FROM passages WHERE document = ?1 ORDER BY ordinal")?;
    let mut rows = statement.query([number])?;
    let mut whole = String::new();
    while let Some(row) = rows.next()? {
        whole.push_str(row.get_ref(0)?.as_str().map_err(|_| corrupt("text"))?);
        whole.push_str(row.get_ref(1)?.as_str().map_err(|_| corrupt("text"))?);
    }
    Ok(Some(whole))
}
