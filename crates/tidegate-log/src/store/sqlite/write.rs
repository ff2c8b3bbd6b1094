//! Applying planned writes.

use tidegate_db::DbError;
use tidegate_db::rusqlite::{Connection, Result, params};
use tidegate_types::Timestamp;

use super::fork;
use crate::StreamId;
use crate::store::{Chunk, ProducerState, Stored, Write};

pub(super) fn apply(conn: &Connection, write: Write) -> Result<(), DbError> {
    match write {
        Write::Insert(stored) => insert(conn, &stored)?,
        Write::Chunk { id, chunk } => insert_chunk(conn, id, &chunk)?,
        Write::Seq { id, last_seq } => update_seq(conn, id, &last_seq)?,
        Write::Head { id, closed, deadline } => {
            conn.prepare_cached("UPDATE streams SET closed = ?2, deadline = ?3 WHERE id = ?1")?
                .execute(params![id.get(), closed, deadline.map(Timestamp::as_millis)])?;
        }
        Write::Producer { id, producer, state, at, keep } => {
            upsert_producer(conn, id, &producer, state, at)?;
            if let Some(keep) = keep {
                forget_idle_producers(conn, id, keep)?;
            }
        }
        Write::Trim { id, start } => {
            conn.prepare_cached("UPDATE streams SET start = max(start, ?2) WHERE id = ?1")?
                .execute(params![id.get(), start.get()])?;
        }
        Write::Delete { id, at, tail } => {
            // What forks don't read is trimmed.
            conn.prepare_cached(
                "UPDATE streams SET deleted_at = ?2, start = CASE WHEN ref_count > 0 THEN ?3 ELSE start END \
                 WHERE id = ?1",
            )?
            .execute(params![id.get(), at.as_millis(), tail.get()])?;
            fork::release(conn, id.get())?;
        }
    }
    Ok(())
}

fn insert(conn: &Connection, stored: &Stored) -> Result<()> {
    let info = &stored.info;
    let fork = stored.fork.as_deref();
    conn.prepare_cached(
        "INSERT INTO streams (id, path, content_type, created_at, ttl_ms, expires_at, deadline, closed, \
         start, purged, fork_of, fork_offset, fork_sub_offset, fork_depth) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        info.id.get(),
        info.path.as_str(),
        &*info.content_type,
        info.created_at.as_millis(),
        info.ttl.map(|ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)),
        info.expires_at.map(Timestamp::as_millis),
        stored.deadline.map(Timestamp::as_millis),
        info.closed,
        info.start.get(),
        fork.map(|fork| fork.source.get()),
        fork.map(|fork| fork.at.get()),
        fork.map(|fork| fork.sub),
        fork.map_or(0, |fork| fork.depth),
    ])?;
    fork.map_or(Ok(()), |fork| fork::refer(conn, fork))
}

pub(super) fn insert_chunk(conn: &Connection, id: StreamId, chunk: &Chunk) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO chunks (stream_id, first_offset, records, at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        id.get(),
        chunk.first.get(),
        chunk.records,
        chunk.at.as_millis(),
        &chunk.body[..]
    ])?;
    Ok(())
}

/// Puts more records into a chunk that is there.
pub(super) fn replace_chunk(conn: &Connection, id: StreamId, chunk: &Chunk) -> Result<()> {
    conn.prepare_cached(
        "UPDATE chunks SET records = ?3, at = ?4, body = ?5 WHERE stream_id = ?1 AND first_offset = ?2",
    )?
    .execute(params![
        id.get(),
        chunk.first.get(),
        chunk.records,
        chunk.at.as_millis(),
        &chunk.body[..]
    ])?;
    Ok(())
}

pub(super) fn update_seq(conn: &Connection, id: StreamId, last_seq: &str) -> Result<()> {
    conn.prepare_cached("UPDATE streams SET last_seq = ?2 WHERE id = ?1")?
        .execute(params![id.get(), last_seq])?;
    Ok(())
}

pub(super) fn upsert_producer(
    conn: &Connection,
    id: StreamId,
    producer: &str,
    state: ProducerState,
    at: Timestamp,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO producers (stream_id, producer_id, epoch, last_seq, used_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT DO UPDATE SET epoch = excluded.epoch, last_seq = excluded.last_seq, used_at = excluded.used_at",
    )?
    .execute(params![id.get(), producer, state.epoch, state.last_seq, at.as_millis()])?;
    Ok(())
}

/// Forgets a sixteenth at once, so that the scan is paid for by many new producers.
fn forget_idle_producers(conn: &Connection, id: StreamId, keep: usize) -> Result<()> {
    let count: usize = conn
        .prepare_cached("SELECT count(*) FROM producers WHERE stream_id = ?1")?
        .query_row([id.get()], |row| row.get(0))?;
    if count <= keep {
        return Ok(());
    }
    conn.prepare_cached(
        "DELETE FROM producers WHERE stream_id = ?1 AND producer_id IN \
         (SELECT producer_id FROM producers WHERE stream_id = ?1 ORDER BY used_at LIMIT ?2)",
    )?
    .execute(params![id.get(), count - keep + keep / 16])?;
    Ok(())
}
