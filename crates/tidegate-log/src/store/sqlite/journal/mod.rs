//! The journal: a group commit is one row, however many streams it writes.
//!
//! Owns: the table `journal`, what of it is held in memory, and moving it to `chunks` and `producers`
//! afterwards (`merge`). Must not: lose or show a row that the reader's own snapshot of the
//! database does not have, or grow beyond its bound.
//!
//! Rows are written over others that were moved on (`slots`). A row is staged before its commit, so a reader
//! whose snapshot has it finds it in memory. A merge is told after its commit; a reader with an older snapshot
//! then reads the journal's own rows.

mod held;
mod merge;
mod row;
mod slots;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tidegate_db::rusqlite::{Connection, params};
use tidegate_db::{DbError, WriteJob};
use tidegate_types::{Offset, Timestamp};
use tokio::sync::oneshot;

use self::held::Held;
use self::row::{Entry, Row};
use crate::store::{Chunk, ProducerState, SHARED_BELOW, Write};
use crate::{StreamId, StreamInfo};

/// How many of the newest rows are looked for in a snapshot one by one; it seldom lacks more than the last.
const LOOKS: usize = 8;
/// A chunk of this size costs no more in the table of chunks than in the journal.
const OWN_ROW_BYTES: usize = SHARED_BELOW;

/// The journal's memory, shared by the writer and its readers.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    held: Mutex<Held>,
    bytes_max: usize,
    page_bytes: usize,
    /// Why the last merge did not happen.
    stuck: Mutex<Option<DbError>>,
}

/// Which rows of the journal a snapshot of the database has.
#[derive(Clone, Copy, Debug)]
struct Marks {
    merged: u64,
    last: u64,
}

/// A snapshot of the database, and what the journal adds to it.
pub(super) struct Snapshot<'a> {
    journal: &'a Journal,
    tx: &'a Connection,
    marks: Marks,
}

impl Snapshot<'_> {
    pub(super) const fn tx(&self) -> &Connection {
        self.tx
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(View<'_>) -> T) -> Result<T, DbError> {
        let Marks { merged, last } = self.marks;
        let held = self.journal.lock();
        if held.merged() <= merged && last <= held.last() {
            return Ok(look(View { held: &held, upto: last }));
        }
        drop(held);
        // A merge was told since the snapshot was taken.
        Ok(look(View { held: &replay(self.tx)?, upto: last }))
    }
}

/// What a snapshot of the database has of one stream, beside its own tables.
pub(super) struct View<'a> {
    held: &'a Held,
    upto: u64,
}

impl View<'_> {
    /// Moves the tail past the records that the journal has.
    pub(super) fn move_tail(&self, info: &mut StreamInfo) {
        info.tail = self.held.tail(info.id, self.upto).map_or(info.tail, |tail| tail.max(info.tail));
    }

    /// Chunks from the one that holds `from` on, until there are so many records or bytes.
    pub(super) fn chunks(&self, id: StreamId, from: Offset, records: usize, bytes: usize) -> Vec<Chunk> {
        let (mut found, mut has_records, mut has_bytes) = (Vec::new(), 0_usize, 0_usize);
        for chunk in self.held.chunks(id, self.upto).filter(|chunk| chunk.end() > from) {
            if has_records >= records || (has_bytes >= bytes && !found.is_empty()) {
                break;
            }
            let new = chunk.end().since(from.max(chunk.first));
            has_records = has_records.saturating_add(usize::try_from(new).unwrap_or(usize::MAX));
            has_bytes = has_bytes.saturating_add(chunk.body.len());
            found.push(chunk.clone());
        }
        found
    }
}

/// What a group's writes leave for the journal.
#[derive(Debug, Default)]
pub(super) struct Draft {
    entries: Vec<Entry>,
    at: Option<Timestamp>,
    settled: Vec<(StreamId, u64)>,
}

/// What was stored of a draft; what became of it is to be told.
#[derive(Debug, Default)]
pub(super) struct Drafted {
    row: Option<u64>,
    settled: Vec<(StreamId, u64)>,
}

impl Journal {
    /// Reads what an earlier process left.
    ///
    /// # Errors
    /// The database failed, or a row is not what was written.
    pub(super) fn open(conn: &Connection, bytes_max: usize) -> Result<Self, DbError> {
        let held = Mutex::new(replay(conn)?);
        let page_bytes = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        Ok(Self { shared: Arc::new(Shared { held, bytes_max, page_bytes, stuck: Mutex::default() }) })
    }

    /// Takes a write, or gives it back: then it belongs in its own table, in the same transaction.
    ///
    /// # Errors
    /// The database failed.
    pub(super) fn take(
        &self,
        conn: &Connection,
        draft: &mut Draft,
        write: Write,
    ) -> Result<Option<Write>, DbError> {
        match write {
            Write::Chunk { id, chunk } => {
                let large = chunk.body.len() >= OWN_ROW_BYTES;
                let drafted = || draft.entries.iter().any(|e| matches!(e, Entry::Chunk(of, _) if *of == id));
                if large && !drafted() {
                    self.settle_chunks(conn, draft, id)?;
                    return Ok(Some(Write::Chunk { id, chunk }));
                }
                draft.at.get_or_insert(chunk.at);
                draft.entries.push(Entry::Chunk(id, chunk));
            }
            Write::Seq { id, last_seq } => draft.entries.push(Entry::Seq(id, last_seq)),
            Write::Producer { id, producer, state, at, keep: None } => {
                draft.at.get_or_insert(at);
                draft.entries.push(Entry::Producer(id, producer, state));
            }
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    /// Moves what the journal has of a stream ahead of its rows, so that what follows can be stored behind it.
    fn settle_chunks(&self, conn: &Connection, draft: &mut Draft, id: StreamId) -> Result<(), DbError> {
        let (unsettled, upto) = {
            let held = self.lock();
            (held.unsettled(id), held.last())
        };
        let Some(gain) = unsettled else { return Ok(()) };
        draft.settled.push((id, upto));
        merge::move_gain(conn, &gain)
    }

    /// Writes the draft as one row.
    pub(super) fn store(&self, conn: &Connection, draft: Draft) -> Result<Drafted, DbError> {
        let settled = draft.settled;
        if draft.entries.is_empty() {
            return Ok(Drafted { row: None, settled });
        }
        let seq = self.lock().last() + 1;
        let at = draft.at.unwrap_or(Timestamp::from_millis(0));
        let row = Row { seq, at, entries: draft.entries };
        let mut body = row.encode();
        let row_bytes = slots::row_bytes(seq, body.len(), self.shared.page_bytes);
        body.resize(slots::body_bytes(seq, row_bytes), 0);
        let slot = self.lock().slots.take(seq, row_bytes, self.shared.bytes_max / 4);
        let stored = conn
            .prepare_cached(
                "INSERT INTO journal (slot, seq, body) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (slot) DO UPDATE SET seq = excluded.seq, body = excluded.body",
            )
            .and_then(|mut statement| statement.execute(params![slot.number, seq, &body[..]]));
        let mut held = self.lock();
        if let Err(error) = stored {
            held.slots.give_back(seq);
            return Err(error.into());
        }
        held.stage(row);
        Ok(Drafted { row: Some(seq), settled })
    }

    /// Tells what became of a draft's transaction.
    pub(super) fn settle(&self, drafted: &Drafted, committed: bool) {
        let mut held = self.lock();
        if let Some(row) = drafted.row {
            if committed { held.commit(row) } else { held.drop_staged(row) }
        }
        for (id, upto) in drafted.settled.iter().filter(|_| committed) {
            held.settle(*id, *upto);
        }
    }

    /// Refuses to take more while what is there can't be moved on.
    pub(super) fn check_room(&self) -> Result<(), DbError> {
        if self.lock().bytes() <= self.shared.bytes_max {
            return Ok(());
        }
        let stuck = self.shared.stuck.lock().unwrap_or_else(PoisonError::into_inner).clone();
        stuck.map_or(Ok(()), Err)
    }

    /// Looks at what a snapshot of the database has beside its own tables. Call it inside of the
    /// transaction that has read them.
    pub(super) fn look<T>(&self, tx: &Connection, look: impl FnOnce(View<'_>) -> T) -> Result<T, DbError> {
        self.snapshot(tx)?.look(look)
    }

    /// The same for several looks.
    pub(super) fn snapshot<'a>(&'a self, tx: &'a Connection) -> Result<Snapshot<'a>, DbError> {
        let merged = merged(tx)?;
        // What the snapshot has was staged before it was committed.
        let (newest, are_all) = {
            let held = self.lock();
            let newest: Vec<_> = held.slots.newest().take(LOOKS).collect();
            let are_all = newest.len() < LOOKS && held.merged() == merged;
            (newest, are_all)
        };
        let last = match last_of(tx, &newest)? {
            Some(last) => last.max(merged),
            None if are_all => merged,
            None => {
                let last: Option<u64> =
                    tx.prepare_cached("SELECT max(seq) FROM journal")?.query_row([], |row| row.get(0))?;
                last.map_or(merged, |last| last.max(merged))
            }
        };
        Ok(Snapshot { journal: self, tx, marks: Marks { merged, last } })
    }

    /// As the writer's running transaction sees it.
    pub(super) fn look_newest<T>(&self, look: impl FnOnce(View<'_>) -> T) -> T {
        look(View { held: &self.lock(), upto: u64::MAX })
    }

    /// The newest `Stream-Seq`, if the journal has one.
    pub(super) fn last_seq(&self, id: StreamId) -> Option<String> {
        self.lock().last_seq(id)
    }

    /// The newest state of a producer, if the journal has one.
    pub(super) fn producer(&self, id: StreamId, name: &str) -> Option<ProducerState> {
        self.lock().producer(id, name)
    }

    /// A merge for the next commit to take along, if the journal is a quarter full. The fuller it is the more is
    /// moved.
    pub(super) fn merge_on(&self) -> Option<Box<dyn WriteJob>> {
        let (bytes, bytes_max) = (self.lock().bytes(), self.shared.bytes_max);
        let merge = match bytes {
            _ if bytes > bytes_max => merge::Merge::half(self.clone()),
            _ if bytes > bytes_max / 2 => merge::Merge::large_step(self.clone()),
            _ if bytes > bytes_max / 4 => merge::Merge::step(self.clone()),
            _ => return None,
        };
        Some(Box::new(merge))
    }

    /// Whether there are rows as old as this.
    pub(super) fn is_due(&self, before: Timestamp) -> bool {
        self.lock().is_due(before)
    }

    /// One step of moving rows as old as this. The answer says whether there are more.
    pub(super) fn merge_before(
        &self,
        before: Timestamp,
        answer: oneshot::Sender<Result<bool, DbError>>,
    ) -> Box<dyn WriteJob> {
        Box::new(merge::Merge::answered(self.clone(), before, answer))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // No code that can panic runs under the lock.
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn merged(conn: &Connection) -> Result<u64, DbError> {
    Ok(conn.prepare_cached("SELECT merged FROM journal_state")?.query_row([], |row| row.get(0))?)
}

/// The first of these rows that is there.
fn last_of(conn: &Connection, rows: &[(u64, i64)]) -> Result<Option<u64>, DbError> {
    let mut statement = conn.prepare_cached("SELECT 1 FROM journal WHERE slot = ?1 AND seq = ?2")?;
    for (seq, slot) in rows {
        if statement.exists(params![slot, seq])? {
            return Ok(Some(*seq));
        }
    }
    Ok(None)
}

/// Everything in the table.
fn replay(conn: &Connection) -> Result<Held, DbError> {
    let merged = merged(conn)?;
    let mut held = Held::new(merged);
    let sql = "SELECT slot, seq, length(body), CASE WHEN seq > ?1 THEN body END FROM journal ORDER BY seq";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([merged])?;
    while let Some(found) = rows.next()? {
        let (slot, seq, bytes, body): (i64, u64, usize, Option<Vec<u8>>) =
            (found.get(0)?, found.get(1)?, found.get(2)?, found.get(3)?);
        held.slots.found(seq, slot, slots::row_bytes_of(seq, bytes), body.is_some());
        let Some(body) = body else { continue };
        let damaged = |reason| DbError::Unavailable(format!("row {seq} of the journal is damaged: {reason}"));
        held.stage(Row::decode(seq, Bytes::from(body)).map_err(damaged)?);
        held.commit(seq);
    }
    Ok(held)
}
