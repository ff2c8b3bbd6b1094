//! The audit in SQLite.

use rusqlite::{Connection, Row, Transaction, params, params_from_iter, types::Value as Sql};
use tidegate_db::{Db, DbError};
use tidegate_types::Timestamp;

use crate::audit::{AuditEntry, AuditFilter, AuditOrder, AuditPage, AuditRow, AuditVerdict, chain_hash};

const COLUMNS: &str = "seq, at, kind, actor, subject, address, request_id, stream, detail, hash";

/// Chains rows to the end of the audit, within a transaction of the caller: what is audited and
/// its row are committed together or not at all.
pub(crate) fn append_audit_in(tx: &Transaction<'_>, rows: &[AuditRow]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let (mut seq, mut hash) = tx
        .prepare_cached("SELECT head_seq, head_hash FROM audit_chain")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)))?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO audit (seq, at, kind, actor, subject, address, request_id, stream, detail, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for row in rows {
        seq += 1;
        hash = chain_hash(&hash, unsigned(seq), row);
        insert.execute(params![
            seq,
            row.at.as_millis(),
            row.kind,
            row.actor,
            row.subject,
            row.address,
            row.request_id,
            row.stream,
            row.detail,
            hash
        ])?;
    }
    tx.prepare_cached("UPDATE audit_chain SET head_seq = ?1, head_hash = ?2")?.execute(params![seq, hash])?;
    Ok(())
}

pub(super) async fn append(db: &Db, rows: Vec<AuditRow>) -> Result<(), DbError> {
    db.write(move |tx| append_audit_in(tx, &rows)).await
}

pub(super) async fn list(db: &Db, filter: AuditFilter, page: AuditPage) -> Result<Vec<AuditEntry>, DbError> {
    let (sql, values) = list_sql(&filter, page);
    db.read(move |conn| {
        let mut statement = conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), entry)?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    })
    .await
}

fn list_sql(filter: &AuditFilter, page: AuditPage) -> (String, Vec<Sql>) {
    let mut wheres: Vec<String> = Vec::new();
    let mut values: Vec<Sql> = Vec::new();
    let mut add = |text: &str, value: Sql| {
        values.push(value);
        wheres.push(text.replace('?', &format!("?{}", values.len())));
    };
    if let Some(kind) = filter.kind {
        add("kind = ?", Sql::Text(kind.as_str().to_owned()));
    }
    if let Some(user) = filter.user {
        // One value in both shapes: as an actor and as a bare id.
        add("(actor = 'user:' || ? OR subject = ?)", Sql::Text(user.to_string()));
    }
    if let Some(stream) = &filter.stream {
        add("stream = ?", Sql::Text(stream.as_str().to_owned()));
    }
    if let Some(since) = filter.since {
        add("at >= ?", Sql::Integer(since.as_millis()));
    }
    if let Some(until) = filter.until {
        add("at < ?", Sql::Integer(until.as_millis()));
    }
    let (compare, direction) = match page.order {
        AuditOrder::NewestFirst => ("seq < ?", "DESC"),
        AuditOrder::OldestFirst => ("seq > ?", "ASC"),
    };
    if let Some(cursor) = page.cursor {
        add(compare, Sql::Integer(i64::try_from(cursor).unwrap_or(i64::MAX)));
    }
    let filter = if wheres.is_empty() { String::new() } else { format!("WHERE {}", wheres.join(" AND ")) };
    values.push(Sql::Integer(i64::try_from(page.limit).unwrap_or(i64::MAX)));
    let limit = values.len();
    (format!("SELECT {COLUMNS} FROM audit {filter} ORDER BY seq {direction} LIMIT ?{limit}"), values)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let detail: String = row.get(8)?;
    let hash: Vec<u8> = row.get(9)?;
    Ok(AuditEntry {
        seq: unsigned(row.get(0)?),
        at: Timestamp::from_millis(row.get(1)?),
        kind: row.get(2)?,
        actor: row.get(3)?,
        subject: row.get(4)?,
        address: row.get(5)?,
        request_id: row.get(6)?,
        stream: row.get(7)?,
        detail: serde_json::from_str(&detail).unwrap_or(serde_json::Value::String(detail)),
        hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// SQLite has no unsigned numbers; ours never fall below zero.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

struct ChainEnds {
    base_seq: u64,
    base_hash: [u8; 32],
    head_seq: u64,
    head_hash: [u8; 32],
}

pub(super) async fn verify(db: &Db) -> Result<AuditVerdict, DbError> {
    db.read(|conn| {
        // One snapshot for the ends and the rows between them.
        let tx = conn.transaction()?;
        verify_in(&tx)
    })
    .await
}

fn verify_in(conn: &Connection) -> Result<AuditVerdict, DbError> {
    let ends =
        conn.query_row("SELECT base_seq, base_hash, head_seq, head_hash FROM audit_chain", [], |row| {
            Ok(ChainEnds {
                base_seq: unsigned(row.get(0)?),
                base_hash: row.get(1)?,
                head_seq: unsigned(row.get(2)?),
                head_hash: row.get(3)?,
            })
        })?;
    let (mut seq, mut hash, mut count) = (ends.base_seq, ends.base_hash, 0);
    let mut statement = conn.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let found = unsigned(row.get(0)?);
        if found != seq + 1 {
            return Ok(AuditVerdict::Broken { seq: seq + 1, reason: "a row is missing" });
        }
        let Some(stored) = stored_row(row)? else {
            return Ok(AuditVerdict::Broken { seq: found, reason: "a row has an unknown kind" });
        };
        let expected = chain_hash(&hash, found, &stored);
        if row.get::<_, Vec<u8>>(9)? != expected {
            return Ok(AuditVerdict::Broken { seq: found, reason: "a row was changed" });
        }
        (seq, hash, count) = (found, expected, count + 1);
    }
    if (seq, hash) != (ends.head_seq, ends.head_hash) {
        return Ok(AuditVerdict::Broken { seq: seq + 1, reason: "the last rows are missing" });
    }
    Ok(AuditVerdict::Intact { rows: count, head: seq })
}

/// The row as it was hashed.
fn stored_row(row: &Row<'_>) -> rusqlite::Result<Option<AuditRow>> {
    let kind: String = row.get(2)?;
    let Some(kind) = crate::audit::AuditKind::from_word(&kind) else { return Ok(None) };
    Ok(Some(AuditRow {
        at: Timestamp::from_millis(row.get(1)?),
        kind: kind.as_str(),
        actor: row.get(3)?,
        subject: row.get(4)?,
        address: row.get(5)?,
        request_id: row.get(6)?,
        stream: row.get(7)?,
        detail: row.get(8)?,
    }))
}

pub(super) async fn trim(db: &Db, before: Timestamp, limit: u32) -> Result<u64, DbError> {
    db.write(move |tx| {
        let Some((seq, hash)) = last_old_row(tx, before, limit)? else { return Ok(0) };
        // The base moves first: the trigger lets only rows up to it go.
        tx.execute("UPDATE audit_chain SET base_seq = ?1, base_hash = ?2", params![seq, hash])?;
        let gone = tx.execute("DELETE FROM audit WHERE seq <= ?1", [seq])?;
        Ok(u64::try_from(gone).unwrap_or(0))
    })
    .await
}

/// The end of the run of old rows at the beginning of the chain.
fn last_old_row(
    tx: &Transaction<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<Option<(i64, [u8; 32])>, DbError> {
    let mut statement = tx.prepare_cached("SELECT at, seq, hash FROM audit ORDER BY seq LIMIT ?1")?;
    let mut rows = statement.query([limit])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(0)? >= before.as_millis() {
            break;
        }
        last = Some((row.get(1)?, row.get(2)?));
    }
    Ok(last)
}
