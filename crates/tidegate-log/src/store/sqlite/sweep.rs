//! Finding streams that are due, and removing what nobody can read any more.

use tidegate_db::rusqlite::{Connection, OptionalExtension as _, Result, params};
use tidegate_types::Timestamp;

use super::{COLUMNS, fork, stored};
use crate::store::Due;

pub(super) fn list_due(conn: &Connection, now: Timestamp, limit: usize) -> Result<Due> {
    let streams = conn
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM streams s WHERE s.deadline IS NOT NULL AND s.deleted_at IS NULL \
             AND s.deadline <= ?1 ORDER BY s.deadline LIMIT ?2"
        ))?
        .query_map(params![now.as_millis(), limit], stored)?
        .collect::<Result<_>>()?;
    let next = conn
        .prepare_cached(
            "SELECT deadline FROM streams WHERE deadline IS NOT NULL AND deleted_at IS NULL \
             AND deadline > ?1 ORDER BY deadline LIMIT 1",
        )?
        .query_row([now.as_millis()], |row| row.get(0))
        .optional()?
        .map(Timestamp::from_millis);
    Ok(Due { streams, next })
}

pub(super) fn has_garbage(conn: &Connection) -> Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM streams WHERE purged < start OR (deleted_at IS NOT NULL AND ref_count = 0))",
    )?
    .query_row([], |row| row.get(0))
}

struct Garbage {
    id: i64,
    start: u64,
    deleted: bool,
    /// Forks read it.
    held: bool,
}

/// Removes at most about `budget` rows. Answers whether more is left.
pub(super) fn purge(conn: &Connection, budget: usize) -> Result<bool> {
    let mut left = budget;
    while left > 0 {
        let next = conn
            .prepare_cached(
                "SELECT id, start, deleted_at IS NOT NULL AND ref_count = 0, ref_count > 0 FROM streams \
                 WHERE purged < start OR (deleted_at IS NOT NULL AND ref_count = 0) LIMIT 1",
            )?
            .query_row([], |row| {
                Ok(Garbage { id: row.get(0)?, start: row.get(1)?, deleted: row.get(2)?, held: row.get(3)? })
            })
            .optional()?;
        let Some(garbage) = next else { return Ok(false) };
        left = left.saturating_sub(purge_one(conn, &garbage, left)?);
    }
    Ok(true)
}

/// Answers how much of the budget was used, at least one.
fn purge_one(conn: &Connection, garbage: &Garbage, budget: usize) -> Result<usize> {
    let from = if garbage.held { fork::held_until(conn, garbage.id)? } else { 0 };
    let (id, end) = (garbage.id, if garbage.deleted { u64::MAX >> 1 } else { garbage.start });
    let removed = conn
        .prepare_cached(
            "DELETE FROM chunks WHERE stream_id = ?1 AND first_offset IN (SELECT first_offset FROM chunks \
             WHERE stream_id = ?1 AND first_offset >= ?4 AND first_offset < ?2 AND first_offset + records <= ?2 \
             ORDER BY first_offset LIMIT ?3)",
        )?
        .execute(params![id, end, budget, from])?;
    if removed >= budget {
        return Ok(removed);
    }
    if !garbage.deleted {
        conn.prepare_cached("UPDATE streams SET purged = start WHERE id = ?1")?.execute([id])?;
        return Ok(removed + 1);
    }
    let forgotten = conn
        .prepare_cached(
            "DELETE FROM producers WHERE stream_id = ?1 AND producer_id IN \
             (SELECT producer_id FROM producers WHERE stream_id = ?1 LIMIT ?2)",
        )?
        .execute(params![id, budget])?;
    if forgotten < budget {
        // The next in the chain, if this was the last that held it, is found by the next look.
        fork::release(conn, id)?;
        conn.prepare_cached("DELETE FROM streams WHERE id = ?1")?.execute([id])?;
    }
    Ok(removed + forgotten + 1)
}
