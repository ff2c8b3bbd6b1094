//! Reading chunks.

use bytes::Bytes;
use tidegate_db::DbError;
use tidegate_db::rusqlite::{Connection, params};
use tidegate_types::{Offset, ReadFrom, Timestamp};

use super::load;
use crate::LogError;
use crate::store::{Chunk, Found, ReadQuery, Stored, StreamKey};

pub(super) fn read(conn: &mut Connection, query: &ReadQuery) -> Result<Option<Found>, LogError> {
    // One read transaction: the head and the chunks are of the same moment.
    let tx = conn.transaction().map_err(DbError::from)?;
    let stored = match &query.key {
        StreamKey::Path(path) => load::by_path(&tx, path),
        StreamKey::Id(id) => load::by_id(&tx, *id),
    }
    .map_err(DbError::from)?;
    let Some(stored) = stored else { return Ok(None) };
    let (start, tail) = (stored.info.start, stored.info.tail);
    let from = match query.from {
        ReadFrom::Start => start,
        ReadFrom::Tail => tail,
        ReadFrom::At(offset) => offset.clamp(start, tail),
    };
    let chunks = if from == tail { Vec::new() } else { read_chunks(&tx, &stored, from, query)? };
    Ok(Some(Found { stored, chunks }))
}

fn read_chunks(
    conn: &Connection,
    stored: &Stored,
    from: Offset,
    query: &ReadQuery,
) -> Result<Vec<Chunk>, LogError> {
    let mut statement = conn
        .prepare_cached(
            "SELECT first_offset, records, at, body FROM chunks WHERE stream_id = ?1 AND first_offset >= \
             coalesce((SELECT max(first_offset) FROM chunks WHERE stream_id = ?1 AND first_offset <= ?2), 0) \
             ORDER BY first_offset",
        )
        .map_err(DbError::from)?;
    let mut rows = statement.query(params![stored.info.id.get(), from.get()]).map_err(DbError::from)?;
    let (mut chunks, mut next, mut bytes, mut records) = (Vec::new(), from, 0_usize, 0_usize);
    let damaged = |offset, reason| LogError::Damaged { stream: stored.info.path.clone(), offset, reason };
    while let Some(row) = rows.next().map_err(DbError::from)? {
        let chunk = chunk(row).map_err(DbError::from)?;
        let end = chunk.first.plus(u64::from(chunk.records));
        let joins = if chunks.is_empty() { chunk.first <= next && next < end } else { chunk.first == next };
        if !joins {
            return Err(damaged(next, "records are missing"));
        }
        records = records.saturating_add(usize::try_from(end.since(next)).unwrap_or(usize::MAX));
        bytes = bytes.saturating_add(chunk.body.len());
        next = end;
        chunks.push(chunk);
        if records >= query.records || bytes >= query.bytes {
            break;
        }
    }
    if chunks.is_empty() { Err(damaged(from, "records are missing")) } else { Ok(chunks) }
}

fn chunk(row: &tidegate_db::rusqlite::Row<'_>) -> tidegate_db::rusqlite::Result<Chunk> {
    Ok(Chunk {
        first: super::offset(row, 0)?,
        records: row.get(1)?,
        at: Timestamp::from_millis(row.get(2)?),
        body: Bytes::from(row.get::<_, Vec<u8>>(3)?),
    })
}
