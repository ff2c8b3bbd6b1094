//! Moving rows of the journal to their streams' own tables.
//!
//! Owns: how small chunks become large ones. One merge moves whole rows, the oldest first, and deletes them
//! in the same transaction. Must not: change anything that a reader can see.

use std::sync::PoisonError;

use tidegate_db::rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use tidegate_db::{DbError, WriteJob};
use tidegate_types::{Offset, Timestamp};
use tokio::sync::oneshot;

use super::Journal;
use super::held::{Batch, Gain};
use crate::StreamId;
use crate::store::Chunk;
use crate::store::codec::Joiner;
use crate::store::sqlite::{offset, write};

/// Chunks are joined up to this size.
const CHUNK_BYTES: usize = 64 * 1024;
/// A stream's last chunk is written again with what follows while it is no larger than this.
const GROWS_BELOW: usize = 4_096;
/// Streams of one step, about: each costs a page or two.
const STREAMS_PER_STEP: usize = 256;

/// One merge.
pub(super) struct Merge {
    journal: Journal,
    before: Timestamp,
    bytes: usize,
    streams: usize,
    upto: Option<u64>,
    answer: Option<oneshot::Sender<Result<bool, DbError>>>,
}

impl Merge {
    /// A step that delays nobody for long.
    pub(super) fn step(journal: Journal) -> Self {
        let bytes = journal.shared.bytes_max / 16;
        let before = Timestamp::from_millis(i64::MAX);
        Self { journal, before, bytes, streams: STREAMS_PER_STEP, upto: None, answer: None }
    }

    /// Half of a full journal.
    pub(super) fn half(journal: Journal) -> Self {
        let bytes = journal.shared.bytes_max / 2;
        Self { bytes, streams: usize::MAX, ..Self::step(journal) }
    }

    /// A step that moves only rows as old as this, and answers whether there are more.
    pub(super) fn answered(
        journal: Journal,
        before: Timestamp,
        answer: oneshot::Sender<Result<bool, DbError>>,
    ) -> Self {
        Self { before, answer: Some(answer), ..Self::step(journal) }
    }
}

impl WriteJob for Merge {
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let batch = self.journal.lock().oldest(self.before, self.bytes, self.streams);
        if batch.rows > 0 {
            apply(tx, &batch)?;
            self.upto = Some(batch.upto);
            self.journal.lock().set_merging(batch.upto);
        }
        Ok(())
    }

    fn done(self: Box<Self>, outcome: Result<(), DbError>) -> Option<Box<dyn WriteJob>> {
        let mut held = self.journal.lock();
        match (&outcome, self.upto) {
            (Ok(()), Some(upto)) => held.merge_done(upto),
            (Err(_), Some(_)) => held.merge_failed(),
            (_, None) => {}
        }
        let more = held.is_due(self.before);
        drop(held);
        *self.journal.shared.stuck.lock().unwrap_or_else(PoisonError::into_inner) = outcome.clone().err();
        if let Some(answer) = self.answer {
            // Whoever stopped waiting learns nothing.
            let _ = answer.send(outcome.clone().map(|()| more));
        }
        // What failed is tried again with a later group, or when it is older.
        outcome.ok().and_then(|()| self.journal.merge_when_idle())
    }
}

fn apply(tx: &Connection, batch: &Batch) -> Result<(), DbError> {
    for gain in &batch.gains {
        // A stream that was purged since leaves nothing behind.
        if let Some(stream) = Stream::load(tx, gain.id)? {
            apply_gain(tx, gain, &stream)?;
        }
    }
    let deleted = tx.prepare_cached("DELETE FROM journal WHERE seq <= ?1")?.execute([batch.upto])?;
    if deleted != batch.rows {
        return Err(DbError::Bug(format!("a merge of {} rows deleted {deleted}", batch.rows)));
    }
    tx.prepare_cached("UPDATE journal_state SET merged = ?1")?.execute([batch.upto])?;
    Ok(())
}

fn apply_gain(tx: &Connection, gain: &Gain, stream: &Stream) -> Result<(), DbError> {
    for (name, state, at) in &gain.producers {
        write::upsert_producer(tx, gain.id, name, *state, *at)?;
    }
    if let Some(last_seq) = &gain.last_seq {
        write::update_seq(tx, gain.id, last_seq)?;
    }
    let kept = if stream.forks > 0 { Offset::START } else { stream.start };
    let mut chunks = gain.chunks.iter().filter(|chunk| chunk.end() > kept).peekable();
    let Some(first) = chunks.peek() else { return Ok(()) };
    if first.end() <= stream.start {
        // Forks may read it although it was trimmed: purging looks again.
        tx.prepare_cached("UPDATE streams SET purged = min(purged, ?2) WHERE id = ?1")?
            .execute(params![gain.id.get(), first.first.get()])?;
    }
    let mut grows = last_small_chunk(tx, gain.id)?.filter(|last| last.end() == first.first);
    let mut joiner = grows.as_ref().and_then(|last| Joiner::begin(last).ok());
    if joiner.is_none() {
        grows = None;
    }
    let mut store = |joiner: Joiner| -> Result<(), DbError> {
        let chunk = joiner.finish();
        match grows.take() {
            Some(_) => Ok(write::replace_chunk(tx, gain.id, &chunk)?),
            None => Ok(write::insert_chunk(tx, gain.id, &chunk)?),
        }
    };
    for chunk in chunks {
        let full = joiner.as_ref().is_some_and(|joiner| joiner.is_full_for(chunk.body.len(), CHUNK_BYTES));
        if full && let Some(joiner) = joiner.take() {
            store(joiner)?;
        }
        let unreadable = |reason| DbError::Bug(format!("a chunk in memory can't be read: {reason}"));
        match &mut joiner {
            Some(joiner) => joiner.push(chunk).map_err(unreadable)?,
            None => joiner = Some(Joiner::begin(chunk).map_err(unreadable)?),
        }
    }
    joiner.map_or(Ok(()), store)
}

/// What a stream's row says.
struct Stream {
    start: Offset,
    forks: u64,
}

impl Stream {
    fn load(tx: &Connection, id: StreamId) -> Result<Option<Self>, DbError> {
        let mut statement = tx.prepare_cached("SELECT start, ref_count FROM streams WHERE id = ?1")?;
        let load = |row: &Row<'_>| Ok(Self { start: offset(row, 0)?, forks: row.get(1)? });
        Ok(statement.query_row([id.get()], load).optional()?)
    }
}

/// The stream's last chunk, if it is small.
fn last_small_chunk(tx: &Connection, id: StreamId) -> Result<Option<Chunk>, DbError> {
    let sql = "SELECT first_offset, records, at, CASE WHEN length(body) < ?2 THEN body END FROM chunks \
               WHERE stream_id = ?1 ORDER BY first_offset DESC LIMIT 1";
    let chunk = tx.prepare_cached(sql)?.query_row(params![id.get(), GROWS_BELOW], |row| {
        let body: Option<Vec<u8>> = row.get(3)?;
        let first = offset(row, 0)?;
        let (records, at) = (row.get(1)?, Timestamp::from_millis(row.get(2)?));
        Ok(body.map(|body| Chunk { first, records, at, body: body.into() }))
    });
    Ok(chunk.optional()?.flatten())
}
