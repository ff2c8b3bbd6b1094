//! Moving rows of the journal to their streams' own tables.
//!
//! Owns: how small chunks become large ones. A pass moves whole rows, the oldest first, in steps that ride on
//! commits: a few streams each. The rows stay in the table to be written over, until housekeeping has moved the last.
//! What a pass had moved when it was cut off is recognised by its offset and not moved again. Must not: change
//! anything that a reader can see.

use std::sync::PoisonError;

use tidegate_db::rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use tidegate_db::{DbError, WriteJob};
use tidegate_types::{Offset, Timestamp};
use tokio::sync::oneshot;

use super::Journal;
use super::held::Gain;
use crate::StreamId;
use crate::store::Chunk;
use crate::store::codec::Joiner;
use crate::store::sqlite::{offset, write};

/// Chunks are joined up to this size.
const CHUNK_BYTES: usize = 64 * 1024;
/// A stream's last chunk is written again with what follows while it is no larger than this.
const GROWS_BELOW: usize = 4_096;
/// So many steps move all that a journal may hold, about, unless that makes them larger than a chunk.
const STEPS: usize = 256;

/// A part of a pass.
pub(super) struct Merge {
    journal: Journal,
    before: Timestamp,
    room: usize,
    /// The last row that was moved.
    upto: Option<u64>,
    /// Whether the table was emptied.
    emptied: bool,
    answer: Option<oneshot::Sender<Result<bool, DbError>>>,
}

impl Merge {
    /// A step that delays nobody for long.
    pub(super) fn step(journal: Journal) -> Self {
        let before = Timestamp::from_millis(i64::MAX);
        let room = (journal.shared.bytes_max / STEPS).clamp(1, CHUNK_BYTES);
        Self { journal, before, room, upto: None, emptied: false, answer: None }
    }

    /// The same for a journal that fills up all the same.
    pub(super) fn large_step(journal: Journal) -> Self {
        let step = Self::step(journal);
        Self { room: step.room * 8, ..step }
    }

    /// Half of a full journal.
    pub(super) fn half(journal: Journal) -> Self {
        Self { room: usize::MAX, ..Self::step(journal) }
    }

    /// A step that moves only rows as old as this, and answers whether there are more.
    pub(super) fn answered(
        journal: Journal,
        before: Timestamp,
        answer: oneshot::Sender<Result<bool, DbError>>,
    ) -> Self {
        Self { before, answer: Some(answer), ..Self::step(journal) }
    }

    /// One step. Answers whether there was anything to do.
    fn go(&mut self, tx: &Connection) -> Result<bool, DbError> {
        let pass_bytes = self.journal.shared.bytes_max / 4;
        // Taken out while it is worked on: after an error or a panic the pass begins anew.
        let step = self.journal.lock().take_step(self.before, pass_bytes, self.room);
        let Some(step) = step else { return Ok(false) };
        for gain in &step.gains {
            move_gain(tx, gain)?;
        }
        if step.rest.is_none() {
            tx.prepare_cached("UPDATE journal_state SET merged = ?1")?.execute([step.upto])?;
            self.upto = Some(step.upto);
            // Nobody writes just now: what was moved need not stay.
            self.emptied = self.answer.is_some() && self.journal.lock().last() == step.upto;
        }
        if self.emptied {
            tx.prepare_cached("DELETE FROM journal")?.execute([])?;
        }
        self.journal.lock().go_on(step.upto, step.rest);
        Ok(true)
    }
}

impl WriteJob for Merge {
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        if self.room < usize::MAX {
            return self.go(tx).map(|_| ());
        }
        while self.journal.lock().bytes_left() > self.journal.shared.bytes_max / 2 && self.go(tx)? {}
        Ok(())
    }

    fn done(self: Box<Self>, outcome: Result<(), DbError>) {
        let mut held = self.journal.lock();
        match (&outcome, self.upto) {
            (Ok(()), Some(upto)) => {
                held.merge_done(upto);
                if self.emptied {
                    held.slots.drop_free();
                }
            }
            (Ok(()), None) => {}
            (Err(_), _) => held.merge_failed(),
        }
        let more = held.is_due(self.before);
        drop(held);
        *self.journal.shared.stuck.lock().unwrap_or_else(PoisonError::into_inner) = outcome.clone().err();
        if let Some(answer) = self.answer {
            // Whoever stopped waiting learns nothing.
            let _ = answer.send(outcome.map(|()| more));
        }
    }
}

/// Moves what one stream gains.
pub(super) fn move_gain(tx: &Connection, gain: &Gain) -> Result<(), DbError> {
    // A stream that was purged since leaves nothing behind.
    Stream::load(tx, gain.id)?.map_or(Ok(()), |stream| apply_gain(tx, gain, &stream))
}

fn apply_gain(tx: &Connection, gain: &Gain, stream: &Stream) -> Result<(), DbError> {
    for (name, state, at) in &gain.producers {
        write::upsert_producer(tx, gain.id, name, *state, *at)?;
    }
    if let Some(last_seq) = &gain.last_seq {
        write::update_seq(tx, gain.id, last_seq)?;
    }
    let kept = if stream.forks > 0 { Offset::START } else { stream.start };
    let last = LastChunk::load(tx, gain.id)?;
    // What is there was moved by a pass that was cut off.
    let stored = last.as_ref().map_or(Offset::START, |last| last.end);
    let mut chunks = gain.chunks.iter().filter(|chunk| chunk.end() > kept.max(stored)).peekable();
    let Some(first) = chunks.peek().copied() else { return Ok(()) };
    if first.end() <= stream.start {
        // Forks may read it although it was trimmed: purging looks again.
        tx.prepare_cached("UPDATE streams SET purged = min(purged, ?2) WHERE id = ?1")?
            .execute(params![gain.id.get(), first.first.get()])?;
    }
    let mut left: usize = chunks.clone().map(|chunk| chunk.body.len() + Joiner::RUN_BYTES).sum();
    let grows = last.and_then(|last| last.small).filter(|last| last.end() == first.first);
    let mut joiner = grows.and_then(|last| {
        let mut joiner = Joiner::begin(&last, (left + last.body.len()).min(CHUNK_BYTES));
        joiner.push(&last).ok().map(|()| joiner)
    });
    let mut grows = joiner.is_some();
    let mut store = |joiner: Joiner| -> Result<(), DbError> {
        let chunk = joiner.finish();
        match std::mem::take(&mut grows) {
            true => Ok(write::replace_chunk(tx, gain.id, &chunk)?),
            false => Ok(write::insert_chunk(tx, gain.id, &chunk)?),
        }
    };
    for chunk in chunks {
        let full = joiner.as_ref().is_some_and(|joiner| joiner.is_full_for(chunk.body.len(), CHUNK_BYTES));
        if full && let Some(joiner) = joiner.take() {
            store(joiner)?;
        }
        let unreadable = |reason| DbError::Bug(format!("a chunk in memory can't be read: {reason}"));
        let joiner = joiner.get_or_insert_with(|| Joiner::begin(chunk, left.min(CHUNK_BYTES)));
        joiner.push_own(chunk).map_err(unreadable)?;
        left = left.saturating_sub(chunk.body.len() + Joiner::RUN_BYTES);
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

/// The end of what a stream's own table has.
struct LastChunk {
    end: Offset,
    /// The chunk itself, if it is small.
    small: Option<Chunk>,
}

impl LastChunk {
    fn load(tx: &Connection, id: StreamId) -> Result<Option<Self>, DbError> {
        let sql = "SELECT first_offset, records, at, CASE WHEN length(body) < ?2 THEN body END FROM chunks \
                   WHERE stream_id = ?1 ORDER BY first_offset DESC LIMIT 1";
        let last = tx.prepare_cached(sql)?.query_row(params![id.get(), GROWS_BELOW], |row| {
            let body: Option<Vec<u8>> = row.get(3)?;
            let first = offset(row, 0)?;
            let (records, at) = (row.get(1)?, Timestamp::from_millis(row.get(2)?));
            let small = body.map(|body| Chunk { first, records, at, body: body.into() });
            Ok(Self { end: first.plus(u64::from(records)), small })
        });
        Ok(last.optional()?)
    }
}
