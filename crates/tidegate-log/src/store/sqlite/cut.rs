//! Where a stream has to be cut so that only what is young and small enough stays.
//!
//! Chunks are looked at by their time and size, and only the one in which the cut lies is opened.

use tidegate_db::DbError;
use tidegate_db::rusqlite::{Connection, Result, params};
use tidegate_types::{Offset, Timestamp};

use super::journal::Journal;
use super::read;
use crate::store::{Chunk, CutQuery, codec};

/// Chunks looked at for one stream and bound. What lies beyond is found at the next walk.
const CHUNKS: usize = 65_536;

/// Call it inside of a transaction.
pub(super) fn find_cut(
    tx: &Connection,
    journal: &Journal,
    query: &CutQuery,
) -> Result<Option<Offset>, DbError> {
    let held = journal.look(tx, |view| view.chunks(query.id, Offset::START, usize::MAX, usize::MAX))?;
    let by_age = match query.before {
        Some(before) => old_end(tx, &held, query.id.get(), before)?,
        None => None,
    };
    let by_size = match query.bytes {
        Some(bytes) => heavy_end(tx, &held, query.id.get(), bytes)?,
        None => None,
    };
    Ok(by_age.max(by_size))
}

/// The end of the records that are too old: from the oldest on, up to the first that is not.
fn old_end(conn: &Connection, held: &[Chunk], id: i64, before: Timestamp) -> Result<Option<Offset>> {
    let mut oldest_first = conn.prepare_cached(
        "SELECT first_offset, records, at FROM chunks WHERE stream_id = ?1 ORDER BY first_offset LIMIT ?2",
    )?;
    let mut rows = oldest_first.query(params![id, CHUNKS])?;
    let mut end = None;
    while let Some(row) = rows.next()? {
        let first = super::offset(row, 0)?;
        if row.get::<_, i64>(2)? > before.as_millis() {
            return Ok(
                read::chunk_at(conn, id, first)?.map_or(end, |chunk| Some(old_records_end(&chunk, before)))
            );
        }
        end = Some(first.plus(row.get(1)?));
    }
    Ok(end.max(held.iter().take_while(|chunk| chunk.at <= before).last().map(Chunk::end)))
}

fn old_records_end(chunk: &Chunk, before: Timestamp) -> Offset {
    // What can't be read is left for its readers to complain of.
    let records = codec::decode(chunk).unwrap_or_default();
    let old = records.iter().take_while(|(at, _)| *at <= before).count();
    chunk.first.plus(old as u64)
}

/// The end of what does not fit any more: the newest records fill the room first.
fn heavy_end(conn: &Connection, held: &[Chunk], id: i64, bytes: u64) -> Result<Option<Offset>> {
    let mut room = bytes;
    let mut oldest_fitting = None;
    for chunk in held.iter().rev() {
        match room.checked_sub(chunk.body.len() as u64) {
            Some(left) => room = left,
            None => return Ok(Some(heavy_records_end(chunk, room))),
        }
        oldest_fitting = Some(chunk.first);
    }
    let mut newest_first = conn.prepare_cached(
        "SELECT first_offset, length(body) FROM chunks WHERE stream_id = ?1 AND first_offset < ?3 \
         ORDER BY first_offset DESC LIMIT ?2",
    )?;
    let before = oldest_fitting.unwrap_or(Offset::MAX);
    let mut rows = newest_first.query(params![id, CHUNKS, before.get()])?;
    while let Some(row) = rows.next()? {
        match room.checked_sub(row.get(1)?) {
            Some(left) => room = left,
            None => {
                let chunk = read::chunk_at(conn, id, super::offset(row, 0)?)?;
                return Ok(chunk.map(|chunk| heavy_records_end(&chunk, room)));
            }
        }
    }
    Ok(None)
}

fn heavy_records_end(chunk: &Chunk, mut room: u64) -> Offset {
    let records = codec::decode(chunk).unwrap_or_default();
    let mut fitting = 0;
    for (_, record) in records.iter().rev() {
        match room.checked_sub(record.len() as u64) {
            Some(left) => room = left,
            None => break,
        }
        fitting += 1;
    }
    chunk.first.plus(u64::from(chunk.records).saturating_sub(fitting))
}
