//! Reading chunks: a stream's own, and those that it inherits as a fork.

use bytes::Bytes;
use tidegate_db::DbError;
use tidegate_db::rusqlite::{Connection, params};
use tidegate_types::{Offset, ReadFrom, StreamPath, Timestamp};

use super::fork::{Lineages, Segment};
use super::load;
use crate::LogError;
use crate::store::{Chunk, Found, Piece, ReadQuery, Stored, StreamKey};

pub(super) fn read(
    conn: &mut Connection,
    lineages: &Lineages,
    query: &ReadQuery,
) -> Result<Option<Found>, LogError> {
    // One read transaction: the head and the chunks are of the same moment.
    let tx = conn.transaction().map_err(DbError::from)?;
    let stored = match &query.key {
        StreamKey::Path(path) => load::by_path(&tx, path),
        StreamKey::Id(id) => load::by_id(&tx, *id),
    }
    .map_err(DbError::from)?;
    let Some(stored) = stored.filter(|stored| !stored.gone) else { return Ok(None) };
    let (start, tail) = (stored.info.start, stored.info.tail);
    let from = match query.from {
        ReadFrom::Start => start,
        ReadFrom::Tail => tail,
        ReadFrom::At(offset) => offset.clamp(start, tail),
    };
    let pieces = read_pieces(&tx, lineages, &stored, from, query)?;
    Ok(Some(Found { stored, pieces }))
}

fn read_pieces(
    conn: &Connection,
    lineages: &Lineages,
    stored: &Stored,
    from: Offset,
    query: &ReadQuery,
) -> Result<Vec<Piece>, LogError> {
    let path = &stored.info.path;
    let mut reading = Reading { path, query, pieces: Vec::new(), next: from, bytes: 0, records: 0 };
    if let Some(fork) = stored.fork.as_deref().filter(|fork| from < fork.at) {
        let lineage = lineages.of(conn, stored, fork).map_err(DbError::from)?;
        for segment in lineage.iter().filter(|segment| from < segment.until) {
            reading.take(conn, segment)?;
        }
    }
    reading.take(conn, &Segment { id: stored.info.id, until: stored.info.tail, cut: None })?;
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

    /// Reads on in the stream that holds these records, up to their end or as much as is wanted.
    fn take(&mut self, conn: &Connection, segment: &Segment) -> Result<(), LogError> {
        if self.is_full() || self.next >= segment.until {
            return Ok(());
        }
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
            if self.is_full() || self.next >= segment.until {
                return Ok(());
            }
        }
        Err(self.missing())
    }

    fn push(&mut self, chunk: Chunk, segment: &Segment) -> Result<(), LogError> {
        let end = chunk.first.plus(u64::from(chunk.records));
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

fn chunk(row: &tidegate_db::rusqlite::Row<'_>) -> tidegate_db::rusqlite::Result<Chunk> {
    Ok(Chunk {
        first: super::offset(row, 0)?,
        records: row.get(1)?,
        at: Timestamp::from_millis(row.get(2)?),
        body: Bytes::from(row.get::<_, Vec<u8>>(3)?),
    })
}
