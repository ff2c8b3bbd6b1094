//! Reading chunks: a stream's own, and those that it inherits as a fork. What the journal has of a stream comes from
//! memory; what it lacks comes from the table.

use bytes::Bytes;
use tidegate_db::DbError;
use tidegate_db::rusqlite::{Connection, OptionalExtension as _, params};
use tidegate_types::{Offset, ReadFrom, StreamPath, Timestamp};

use super::fork::{Lineages, Segment};
use super::journal::{Journal, Snapshot};
use super::load;
use crate::LogError;
use crate::store::{Chunk, Found, Piece, ReadQuery, Stored, StreamKey};

/// Call it inside of a transaction: the head and the chunks are of the same moment.
pub(super) fn read(
    tx: &Connection,
    journal: &Journal,
    lineages: &Lineages,
    query: &ReadQuery,
) -> Result<Option<Found>, LogError> {
    let stored = match &query.key {
        StreamKey::Path(path) => load::by_path(tx, path),
        StreamKey::Id(id) => load::by_id(tx, *id),
    }
    .map_err(DbError::from)?;
    let Some(mut stored) = stored.filter(|stored| !stored.gone) else { return Ok(None) };
    let snapshot = journal.snapshot(tx)?;
    snapshot.look(|view| view.move_tail(&mut stored.info))?;
    let (start, tail) = (stored.info.start, stored.info.tail);
    let from = match query.from {
        ReadFrom::Start => start,
        ReadFrom::Tail => tail,
        ReadFrom::At(offset) => offset.clamp(start, tail),
    };
    let pieces = read_pieces(&snapshot, lineages, &stored, from, query)?;
    Ok(Some(Found { stored, pieces }))
}

fn read_pieces(
    snapshot: &Snapshot<'_>,
    lineages: &Lineages,
    stored: &Stored,
    from: Offset,
    query: &ReadQuery,
) -> Result<Vec<Piece>, LogError> {
    let path = &stored.info.path;
    let mut reading = Reading { path, query, pieces: Vec::new(), next: from, bytes: 0, records: 0 };
    if let Some(fork) = stored.fork.as_deref().filter(|fork| from < fork.at) {
        let lineage = lineages.of(snapshot.tx(), stored, fork).map_err(DbError::from)?;
        for segment in lineage.iter().filter(|segment| from < segment.until) {
            reading.take(snapshot, segment)?;
        }
    }
    reading.take(snapshot, &Segment { id: stored.info.id, until: stored.info.tail, cut: None })?;
    Ok(reading.pieces)
}

/// Pieces that were gathered so far.
struct Reading<'a> {
    path: &'a StreamPath,
    query: &'a ReadQuery,
    pieces: Vec<Piece>,
    next: Offset,
    bytes: usize,
    records: usize,
}

impl Reading<'_> {
    fn is_full(&self) -> bool {
        let full = self.records >= self.query.records || self.bytes >= self.query.bytes;
        full && !self.pieces.is_empty()
    }

    fn is_done(&self, segment: &Segment) -> bool {
        self.is_full() || self.next >= segment.until
    }

    /// Reads on in the stream that holds these records, up to their end or as much as is wanted.
    fn take(&mut self, snapshot: &Snapshot<'_>, segment: &Segment) -> Result<(), LogError> {
        let (records, bytes) = (self.query.records, self.query.bytes);
        while !self.is_done(segment) {
            let before = self.next;
            for chunk in snapshot.look(|view| view.chunks(segment.id, before, records, bytes))? {
                if chunk.first > self.next {
                    self.take_stored(snapshot.tx(), segment)?;
                }
                if self.is_done(segment) {
                    break;
                }
                // The table may have it too.
                if chunk.end() > self.next {
                    self.push(chunk.detached(), segment)?;
                }
            }
            if self.next == before {
                self.take_stored(snapshot.tx(), segment)?;
            }
            if self.next == before {
                return Err(self.missing());
            }
        }
        Ok(())
    }

    fn take_stored(&mut self, conn: &Connection, segment: &Segment) -> Result<(), LogError> {
        let mut statement = conn
            .prepare_cached(
                "SELECT first_offset, records, at, body FROM chunks WHERE stream_id = ?1 AND first_offset >= \
                 coalesce((SELECT max(first_offset) FROM chunks WHERE stream_id = ?1 AND first_offset <= ?2), 0) \
                 ORDER BY first_offset",
            )
            .map_err(DbError::from)?;
        let from = params![segment.id.get(), self.next.get()];
        let mut rows = statement.query(from).map_err(DbError::from)?;
        while let Some(row) = rows.next().map_err(DbError::from)? {
            self.push(chunk(row).map_err(DbError::from)?, segment)?;
            if self.is_done(segment) {
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, chunk: Chunk, segment: &Segment) -> Result<(), LogError> {
        let end = chunk.end();
        if self.next < chunk.first || end <= self.next {
            return Err(self.missing());
        }
        let until = end.min(segment.until);
        self.records =
            self.records.saturating_add(usize::try_from(until.since(self.next)).unwrap_or(usize::MAX));
        self.bytes = self.bytes.saturating_add(chunk.body.len());
        self.next = until;
        let cut = segment.cut.filter(|_| until == segment.until);
        self.pieces.push(Piece { chunk, until, cut });
        Ok(())
    }

    fn missing(&self) -> LogError {
        LogError::Damaged { stream: self.path.clone(), offset: self.next, reason: "records are missing" }
    }
}

/// The chunk that begins at an offset.
pub(super) fn chunk_at(
    conn: &Connection,
    id: i64,
    first: Offset,
) -> tidegate_db::rusqlite::Result<Option<Chunk>> {
    conn.prepare_cached(
        "SELECT first_offset, records, at, body FROM chunks WHERE stream_id = ?1 AND first_offset = ?2",
    )?
    .query_row(params![id, first.get()], chunk)
    .optional()
}

fn chunk(row: &tidegate_db::rusqlite::Row<'_>) -> tidegate_db::rusqlite::Result<Chunk> {
    Ok(Chunk {
        first: super::offset(row, 0)?,
        records: row.get(1)?,
        at: Timestamp::from_millis(row.get(2)?),
        body: Bytes::from(row.get::<_, Vec<u8>>(3)?),
    })
}
