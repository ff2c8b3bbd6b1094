//! Dropping what is older than it is kept.

use rusqlite::{Transaction, params};
use tidegate_db::{Db, DbError};
use tidegate_types::Timestamp;

use super::{Bounds, COLUMNS, HASHES, signed};
use crate::audit::HASH_BYTES;
use crate::store::sqlite::corrupt;

pub(in super::super) async fn trim(db: &Db, before: Timestamp, limit: u32) -> Result<u64, DbError> {
    db.write(move |tx| {
        let Some(Old { last_seq, hash, events }) = old_batches(tx, before, limit)? else { return Ok(0) };
        // The base moves first: the trigger lets only batches up to it go.
        tx.execute("UPDATE audit_chain SET base_seq = ?1, base_hash = ?2", params![signed(last_seq), hash])?;
        tx.execute("DELETE FROM audit_batches WHERE first_seq <= ?1", [signed(last_seq)])?;
        Ok(events)
    })
    .await
}

/// The run of old batches at the beginning of the chain.
struct Old {
    last_seq: u64,
    hash: [u8; HASH_BYTES],
    events: u64,
}

fn old_batches(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<Option<Old>, DbError> {
    let mut statement =
        tx.prepare_cached(&format!("SELECT {COLUMNS} FROM audit_batches ORDER BY first_seq LIMIT ?1"))?;
    let mut rows = statement.query([limit])?;
    let mut old: Option<Old> = None;
    while let Some(row) = rows.next()? {
        let batch = Bounds::of(row)?;
        let events = old.as_ref().map_or(0, |old| old.events);
        if batch.last_at >= before.as_millis() || events >= u64::from(limit) {
            break;
        }
        let hashes = row.get_ref(HASHES)?.as_blob().map_err(rusqlite::Error::from)?;
        let hash = *hashes.last_chunk().ok_or_else(|| corrupt("batch of the audit"))?;
        let events = events + batch.last_seq.saturating_sub(batch.first_seq) + 1;
        old = Some(Old { last_seq: batch.last_seq, hash, events });
    }
    Ok(old)
}
