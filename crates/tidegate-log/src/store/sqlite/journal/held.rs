//! What the journal holds and its streams' own tables do not yet, in memory.
//!
//! Owns: rows by stream and by age, those of the running transaction apart. Must not: know SQL or locks.
//! Rows are numbered in the order of their commits; a reader sees them up to a number.

use std::collections::{HashMap, VecDeque};

use tidegate_types::{Offset, Timestamp};

use super::row::{Entry, Row};
use super::slots::Slots;
use crate::StreamId;
use crate::store::{Chunk, ProducerState};

/// The journal as of one moment of the writer.
#[derive(Debug, Default)]
pub(super) struct Held {
    streams: HashMap<StreamId, Stream>,
    rows: VecDeque<Note>,
    /// Rows of the running transaction, and of one whose commit is not told yet.
    staged: Vec<Row>,
    /// The last row given out.
    last: u64,
    /// The last row that has been moved to its streams' own tables.
    merged: u64,
    /// The same, as the running transaction sees it.
    merging: u64,
    bytes: usize,
    /// Rows that are being moved.
    pass: Option<Pass>,
    /// Where they lie in the table.
    pub(super) slots: Slots,
}

#[derive(Debug, Default)]
struct Stream {
    chunks: VecDeque<(u64, Chunk)>,
    /// Chunks of rows up to this one were moved ahead of their rows, and are only held for older snapshots.
    settled: u64,
    last_seq: Option<(u64, String)>,
    producers: HashMap<String, (u64, ProducerState, Timestamp)>,
}

/// What is remembered of a row beside its entries.
#[derive(Debug)]
struct Note {
    seq: u64,
    at: Timestamp,
    bytes: usize,
    ids: Vec<StreamId>,
}

/// Rows that are moved in steps, a few streams at a time. They stay in the journal until all of their streams
/// have them.
#[derive(Debug)]
pub(super) struct Pass {
    upto: u64,
    /// The streams that lack them, the next one last.
    ids: Vec<StreamId>,
    /// How far that one was moved.
    moved: Offset,
}

/// What one stream gains by a step.
#[derive(Debug)]
pub(super) struct Gain {
    pub(super) id: StreamId,
    pub(super) chunks: Vec<Chunk>,
    pub(super) last_seq: Option<String>,
    pub(super) producers: Vec<(String, ProducerState, Timestamp)>,
}

/// One step of a pass.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) gains: Vec<Gain>,
    /// The last row that no stream lacks any more.
    pub(super) upto: u64,
    /// What is left of the pass.
    pub(super) rest: Option<Pass>,
}

/// What a stream costs a step beside its bytes: a page or two.
const STREAM_COST: usize = 4_096;

impl Held {
    pub(super) fn new(merged: u64) -> Self {
        Self { last: merged, merged, merging: merged, ..Self::default() }
    }

    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    pub(super) const fn merged(&self) -> u64 {
        self.merged
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes in a row of the running transaction.
    pub(super) fn stage(&mut self, row: Row) {
        self.last = row.seq;
        self.bytes += row.weight();
        self.staged.push(row);
    }

    /// The row's transaction was committed.
    pub(super) fn commit(&mut self, seq: u64) {
        if let Some(at) = self.staged.iter().position(|row| row.seq == seq) {
            let row = self.staged.remove(at);
            self.take(row);
        }
    }

    /// The row's transaction failed.
    pub(super) fn drop_staged(&mut self, seq: u64) {
        if let Some(at) = self.staged.iter().position(|row| row.seq == seq) {
            self.bytes = self.bytes.saturating_sub(self.staged.remove(at).weight());
            self.slots.give_back(seq);
        }
        let committed = self.rows.back().map_or(self.merged, |note| note.seq);
        self.last = self.staged.last().map_or(committed, |row| row.seq.max(committed));
    }

    fn take(&mut self, row: Row) {
        let Row { seq, at, entries } = &row;
        let mut ids: Vec<StreamId> = entries.iter().map(Entry::id).collect();
        ids.dedup();
        self.rows.push_back(Note { seq: *seq, at: *at, bytes: row.weight(), ids });
        for entry in row.entries {
            let stream = self.streams.entry(entry.id()).or_default();
            match entry {
                Entry::Chunk(_, chunk) => stream.chunks.push_back((row.seq, chunk)),
                Entry::Seq(_, last_seq) => stream.last_seq = Some((row.seq, last_seq)),
                Entry::Producer(_, name, state) => {
                    stream.producers.insert(name, (row.seq, state, row.at));
                }
            }
        }
    }

    /// What the table of chunks lacks of a stream, as the running transaction sees it.
    pub(super) fn unsettled(&self, id: StreamId) -> Option<Gain> {
        let old = self
            .streams
            .get(&id)
            .map_or(0, |stream| stream.chunks.iter().take_while(|(seq, _)| *seq <= stream.settled).count());
        let chunks: Vec<Chunk> = self.chunks(id, u64::MAX).skip(old).cloned().collect();
        (!chunks.is_empty()).then_some(Gain { id, chunks, last_seq: None, producers: Vec::new() })
    }

    /// A transaction was committed that moved a stream's chunks up to a row ahead of it.
    pub(super) fn settle(&mut self, id: StreamId, upto: u64) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.settled = stream.settled.max(upto);
        }
    }

    /// The chunks of a stream, in order, up to a row.
    pub(super) fn chunks(&self, id: StreamId, upto: u64) -> impl Iterator<Item = &Chunk> {
        let committed = self.streams.get(&id).into_iter().flat_map(|stream| &stream.chunks);
        let committed = committed.take_while(move |(seq, _)| *seq <= upto).map(|(_, chunk)| chunk);
        let staged = self.staged.iter().take_while(move |row| row.seq <= upto);
        committed.chain(staged.flat_map(|row| &row.entries).filter_map(move |entry| match entry {
            Entry::Chunk(of, chunk) if *of == id => Some(chunk),
            _ => None,
        }))
    }

    /// The position after the last record held, up to a row.
    pub(super) fn tail(&self, id: StreamId, upto: u64) -> Option<Offset> {
        let staged = self.staged.iter().filter(|row| row.seq <= upto).flat_map(|row| &row.entries).rev();
        let staged = staged.filter_map(|entry| match entry {
            Entry::Chunk(of, chunk) if *of == id => Some(chunk),
            _ => None,
        });
        let committed = self.streams.get(&id).into_iter().flat_map(|stream| stream.chunks.iter().rev());
        let committed = committed.skip_while(|(seq, _)| *seq > upto).map(|(_, chunk)| chunk);
        staged.chain(committed).next().map(Chunk::end)
    }

    /// The newest `Stream-Seq` held.
    pub(super) fn last_seq(&self, id: StreamId) -> Option<String> {
        let staged = self.staged.iter().flat_map(|row| &row.entries).rev().find_map(|entry| match entry {
            Entry::Seq(of, last_seq) if *of == id => Some(last_seq),
            _ => None,
        });
        let committed = || self.streams.get(&id)?.last_seq.as_ref().map(|(_, last_seq)| last_seq);
        staged.or_else(committed).cloned()
    }

    /// The newest state held of a producer.
    pub(super) fn producer(&self, id: StreamId, name: &str) -> Option<ProducerState> {
        let staged = self.staged.iter().flat_map(|row| &row.entries).rev().find_map(|entry| match entry {
            Entry::Producer(of, named, state) if *of == id && named == name => Some(*state),
            _ => None,
        });
        staged.or_else(|| self.streams.get(&id)?.producers.get(name).map(|(_, state, _)| *state))
    }

    /// Takes the next step of about so much `room`, in a new pass over about so many bytes if there is none. The
    /// pass is to be put back (`go_on`) when the step was done; one that is not begins anew.
    pub(super) fn take_step(&mut self, before: Timestamp, pass_bytes: usize, room: usize) -> Option<Step> {
        let mut pass = self.pass.take().or_else(|| self.begin_pass(before, pass_bytes))?;
        let (mut left, mut gains) = (room, Vec::new());
        while left > 0
            && let Some(id) = pass.ids.last().copied()
        {
            let (gain, bytes, more) = self.gain(id, &pass, left);
            left = left.saturating_sub(bytes.saturating_add(STREAM_COST));
            pass.moved = gain.chunks.last().filter(|_| more).map_or(Offset::START, Chunk::end);
            if !more {
                pass.ids.pop();
            }
            gains.push(gain);
        }
        let is_done = pass.ids.is_empty();
        let upto = if is_done { pass.upto } else { self.merging };
        Some(Step { gains, upto, rest: (!is_done).then_some(pass) })
    }

    fn begin_pass(&self, before: Timestamp, bytes_max: usize) -> Option<Pass> {
        let (mut ids, mut bytes, mut upto) = (Vec::new(), 0_usize, None);
        let begin = self.rows.partition_point(|note| note.seq <= self.merging);
        for note in self.rows.range(begin..).take_while(|note| note.at <= before) {
            if upto.is_some() && bytes.saturating_add(note.bytes) > bytes_max {
                break;
            }
            bytes = bytes.saturating_add(note.bytes);
            ids.extend(note.ids.iter().copied());
            upto = Some(note.seq);
        }
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        Some(Pass { upto: upto?, ids, moved: Offset::START })
    }

    /// What a stream gains, as far as there is room; its bytes, and whether there is more.
    fn gain(&self, id: StreamId, pass: &Pass, room: usize) -> (Gain, usize, bool) {
        let mut gain = Gain { id, chunks: Vec::new(), last_seq: None, producers: Vec::new() };
        let Some(stream) = self.streams.get(&id) else { return (gain, 0, false) };
        let (mut bytes, mut more) = (0_usize, false);
        let begin = stream.chunks.partition_point(|(_, chunk)| chunk.end() <= pass.moved);
        for (_, chunk) in stream.chunks.range(begin..).take_while(|(seq, _)| *seq <= pass.upto) {
            more = bytes >= room;
            if more {
                break;
            }
            bytes = bytes.saturating_add(chunk.body.len());
            gain.chunks.push(chunk.clone());
        }
        if !more {
            let producers = stream.producers.iter().filter(|(_, (seq, ..))| *seq <= pass.upto);
            gain.producers = producers.map(|(name, (_, state, at))| (name.clone(), *state, *at)).collect();
            let last_seq = stream.last_seq.as_ref().filter(|(seq, _)| *seq <= pass.upto);
            gain.last_seq = last_seq.map(|(_, text)| text.clone());
        }
        (gain, bytes, more)
    }

    /// The running transaction has done a step.
    pub(super) fn go_on(&mut self, upto: u64, rest: Option<Pass>) {
        self.merging = self.merging.max(upto);
        self.pass = rest;
    }

    /// Bytes of the rows that the running transaction has not moved.
    pub(super) fn bytes_left(&self) -> usize {
        let begin = self.rows.partition_point(|note| note.seq <= self.merging);
        self.rows.range(begin..).map(|note| note.bytes).sum()
    }

    /// A step or its transaction failed: what it moved is moved again.
    pub(super) fn merge_failed(&mut self) {
        self.merging = self.merged;
        self.pass = None;
    }

    /// The transaction that moved the rows up to this one was committed.
    pub(super) fn merge_done(&mut self, upto: u64) {
        self.merged = self.merged.max(upto);
        self.merging = self.merging.max(upto);
        self.slots.free_up_to(upto);
        let mut ids = Vec::new();
        while let Some(note) = self.rows.pop_front_if(|note| note.seq <= upto) {
            self.bytes = self.bytes.saturating_sub(note.bytes);
            ids.extend(note.ids);
        }
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            while stream.chunks.pop_front_if(|(seq, _)| *seq <= upto).is_some() {}
            stream.last_seq.take_if(|(seq, _)| *seq <= upto);
            stream.producers.retain(|_, (seq, ..)| *seq > upto);
            if stream.chunks.is_empty() && stream.last_seq.is_none() && stream.producers.is_empty() {
                self.streams.remove(&id);
            }
        }
    }

    /// Whether rows are being moved, or wait for it that are at least as old as this.
    pub(super) fn is_due(&self, before: Timestamp) -> bool {
        if self.pass.is_some() {
            return true;
        }
        let begin = self.rows.partition_point(|note| note.seq <= self.merging);
        self.rows.get(begin).is_some_and(|note| note.at <= before)
    }
}
