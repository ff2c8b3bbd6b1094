//! Where a stream has to be cut so that only what is young and small enough stays.
//!
//! What a fork inherits counts as if it were its own. Chunks are looked at by their time and size; opened
//! is only the one in which the cut lies, and one of which only a part is the stream's.

use tidegate_db::DbError;
use tidegate_db::rusqlite::{Connection, OptionalExtension as _, Result, params};
use tidegate_types::{Offset, Timestamp};

use super::fork::{Lineages, Segment};
use super::journal::{Journal, Snapshot};
use super::{load, read};
use crate::store::{Chunk, CutQuery, Stored, codec};

/// Chunks looked at for one stream and bound. What lies beyond is found at the next walk.
const CHUNKS: usize = 65_536;

/// Call it inside of a transaction.
pub(super) fn find_cut(
    tx: &Connection,
    journal: &Journal,
    lineages: &Lineages,
    query: &CutQuery,
) -> Result<Option<Offset>, DbError> {
    let Some(stored) = load::by_id(tx, query.id)? else { return Ok(None) };
    let runs = list_runs(&journal.snapshot(tx)?, lineages, &stored)?;
    let by_age = match query.before {
        Some(before) => old_end(tx, &runs, before)?,
        None => None,
    };
    let by_size = match query.bytes {
        Some(bytes) => heavy_end(tx, &runs, bytes)?,
        None => None,
    };
    Ok(by_age.max(by_size))
}

/// Records of the stream that lie in one stream, its own or one that it was forked from.
struct Run {
    from: Offset,
    segment: Segment,
    /// What the journal has of them.
    held: Vec<Chunk>,
}

/// All records of a stream, the oldest first.
fn list_runs(snapshot: &Snapshot<'_>, lineages: &Lineages, stored: &Stored) -> Result<Vec<Run>, DbError> {
    let mut segments = Vec::new();
    if let Some(fork) = stored.fork.as_deref().filter(|fork| stored.info.start < fork.at) {
        segments.extend_from_slice(&lineages.of(snapshot.tx(), stored, fork)?);
    }
    segments.push(Segment { id: stored.info.id, until: Offset::MAX, cut: None });
    let (mut from, mut runs) = (stored.info.start, Vec::new());
    segments.retain(|segment| stored.info.start < segment.until);
    for segment in segments {
        let mut held = snapshot.look(|view| view.chunks(segment.id, from, usize::MAX, usize::MAX))?;
        let stored = last_end(snapshot.tx(), segment.id.get())?;
        held.retain(|chunk| chunk.first < segment.until && stored.is_none_or(|stored| chunk.end() > stored));
        runs.push(Run { from, segment, held });
        from = segment.until;
    }
    Ok(runs)
}

/// The end of what the table has of a stream: it has all before that, too.
fn last_end(conn: &Connection, id: i64) -> Result<Option<Offset>> {
    let sql =
        "SELECT first_offset, records FROM chunks WHERE stream_id = ?1 ORDER BY first_offset DESC LIMIT 1";
    conn.prepare_cached(sql)?.query_row([id], |row| Ok(super::offset(row, 0)?.plus(row.get(1)?))).optional()
}

/// The end of the records that are too old: from the oldest on, up to the first that is not.
fn old_end(conn: &Connection, runs: &[Run], before: Timestamp) -> Result<Option<Offset>> {
    let mut oldest_first = conn.prepare_cached(
        "SELECT first_offset, records, at FROM chunks WHERE stream_id = ?1 AND first_offset < ?3 AND \
         first_offset >= coalesce((SELECT max(first_offset) FROM chunks WHERE stream_id = ?1 AND \
         first_offset <= ?4), 0) ORDER BY first_offset LIMIT ?2",
    )?;
    let (mut end, mut left) = (None, CHUNKS);
    for run in runs {
        let (id, until) = (run.segment.id.get(), run.segment.until);
        let mut rows = oldest_first.query(params![id, left, until.get(), run.from.get()])?;
        while let Some(row) = rows.next()? {
            let first = super::offset(row, 0)?;
            if row.get::<_, i64>(2)? > before.as_millis() {
                let young = read::chunk_at(conn, id, first)?;
                return Ok(end.max(young.map(|chunk| run.old_records_end(&chunk, before))));
            }
            end = end.max(Some(first.plus(row.get(1)?).min(until)));
            left = left.saturating_sub(1);
        }
        if left == 0 {
            break;
        }
        for chunk in &run.held {
            if chunk.at > before {
                return Ok(end.max(Some(run.old_records_end(chunk, before))));
            }
            end = end.max(Some(chunk.end().min(until)));
        }
    }
    Ok(end)
}

/// The end of what does not fit any more: the newest records fill the room first.
fn heavy_end(conn: &Connection, runs: &[Run], bytes: u64) -> Result<Option<Offset>> {
    let mut newest_first = conn.prepare_cached(
        "SELECT first_offset, records, length(body) FROM chunks WHERE stream_id = ?1 AND first_offset < ?3 \
         ORDER BY first_offset DESC LIMIT ?2",
    )?;
    let (mut room, mut left) = (bytes, CHUNKS);
    for run in runs.iter().rev() {
        // What lies behind this was counted. The table may have what the journal has, too.
        let mut counted = run.segment.until;
        for chunk in run.held.iter().rev() {
            if !(run.has_all(chunk.first, chunk.end()) && fill(&mut room, chunk.body.len() as u64))
                && let Some(end) = run.fill_by_records(&mut room, chunk, counted)
            {
                return Ok(Some(end));
            }
            counted = chunk.first;
        }
        let id = run.segment.id.get();
        let mut rows = newest_first.query(params![id, left, counted.get()])?;
        while let Some(row) = rows.next()? {
            let first = super::offset(row, 0)?;
            let end = first.plus(row.get(1)?);
            if end <= run.from {
                break;
            }
            left = left.saturating_sub(1);
            let is_all = end <= counted && run.has_all(first, end);
            if !(is_all && fill(&mut room, row.get(2)?))
                && let Some(chunk) = read::chunk_at(conn, id, first)?
                && let Some(end) = run.fill_by_records(&mut room, &chunk, counted)
            {
                return Ok(Some(end));
            }
        }
        if left == 0 {
            break;
        }
    }
    Ok(None)
}

/// Takes so much of the room, if it is there.
fn fill(room: &mut u64, bytes: u64) -> bool {
    let left = room.checked_sub(bytes);
    *room = left.unwrap_or(*room);
    left.is_some()
}

impl Run {
    /// Whether all of a chunk is the stream's.
    fn has_all(&self, first: Offset, end: Offset) -> bool {
        let Segment { until, cut, .. } = self.segment;
        self.from <= first && end <= until && (cut.is_none() || end < until)
    }

    fn old_records_end(&self, chunk: &Chunk, before: Timestamp) -> Offset {
        // What can't be read is left for its readers to complain of.
        let records = codec::decode(chunk).unwrap_or_default();
        let old = records.iter().take_while(|(at, _)| *at <= before).count();
        chunk.first.plus(old as u64).min(self.segment.until)
    }

    /// Fills the room with those records of a chunk before `counted` that are the stream's, the newest
    /// first. Answers the end of the first that does not fit.
    fn fill_by_records(&self, room: &mut u64, chunk: &Chunk, counted: Offset) -> Option<Offset> {
        let records = codec::decode(chunk).unwrap_or_default();
        for (n, (_, record)) in (0..).zip(&records).collect::<Vec<_>>().into_iter().rev() {
            let end = chunk.first.plus(n + 1);
            if end > counted {
                continue;
            }
            if end <= self.from {
                break;
            }
            let part = self.segment.cut.filter(|_| end == self.segment.until);
            let bytes = record.len() as u64;
            if !fill(room, part.map_or(bytes, |part| part.min(bytes))) {
                return Some(end);
            }
        }
        None
    }
}
