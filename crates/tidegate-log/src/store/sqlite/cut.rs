//! Where a stream has to be cut so that only what is young and small enough stays.

use tidegate_db::rusqlite::{Connection, Result, params};
use tidegate_types::Offset;

use crate::store::CutQuery;

/// Chunks looked at for one stream and bound. What lies beyond is found at the next walk.
const CHUNKS: usize = 65_536;

pub(super) fn find_cut(conn: &Connection, query: &CutQuery) -> Result<Option<Offset>> {
    let by_age = match query.before {
        Some(before) => old_end(conn, query.id.get(), before.as_millis())?,
        None => None,
    };
    let by_size = match query.bytes {
        Some(bytes) => heavy_end(conn, query.id.get(), bytes)?,
        None => None,
    };
    Ok(by_age.max(by_size).and_then(Offset::new))
}

/// The end of the chunks that are too old: from the oldest on, up to the first that is not.
fn old_end(conn: &Connection, id: i64, before: i64) -> Result<Option<u64>> {
    let mut oldest_first = conn.prepare_cached(
        "SELECT first_offset + records, at FROM chunks WHERE stream_id = ?1 ORDER BY first_offset LIMIT ?2",
    )?;
    let mut rows = oldest_first.query(params![id, CHUNKS])?;
    let mut end = None;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? > before {
            break;
        }
        end = Some(row.get(0)?);
    }
    Ok(end)
}

/// The end of what does not fit any more: the newest chunks fill the room first.
fn heavy_end(conn: &Connection, id: i64, bytes: u64) -> Result<Option<u64>> {
    let mut newest_first = conn.prepare_cached(
        "SELECT first_offset + records, length(body) FROM chunks WHERE stream_id = ?1 \
         ORDER BY first_offset DESC LIMIT ?2",
    )?;
    let mut rows = newest_first.query(params![id, CHUNKS])?;
    let mut total: u64 = 0;
    while let Some(row) = rows.next()? {
        total = total.saturating_add(row.get(1)?);
        if total > bytes {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}
