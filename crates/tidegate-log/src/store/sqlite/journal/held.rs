//! What the journal holds and its streams' own tables do not yet, in memory.
//!
//! Owns: rows by stream and by age, those of the running transaction apart. Must not: know SQL or locks.
//! Rows are numbered in the order of their commits; a reader sees them up to a number.

use std::collections::{BTreeSet, HashMap, VecDeque};

use tidegate_types::{Offset, Timestamp};

use super::row::{Entry, Row};
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
}

#[derive(Debug, Default)]
struct Stream {
    chunks: VecDeque<(u64, Chunk)>,
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

/// What one stream gained in the rows of one merge.
#[derive(Debug)]
pub(super) struct Gain {
    pub(super) id: StreamId,
    pub(super) chunks: Vec<Chunk>,
    pub(super) last_seq: Option<String>,
    pub(super) producers: Vec<(String, ProducerState, Timestamp)>,
}

/// The rows of one merge, by stream.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) upto: u64,
    pub(super) gains: Vec<Gain>,
}

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

    /// Whether records of the stream are held.
    pub(super) fn has_chunks(&self, id: StreamId) -> bool {
        self.chunks(id, u64::MAX).next().is_some()
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

    /// The oldest rows that are not in their streams' own tables yet, up to a time and about so many bytes
    /// and streams; one row at least, if there is one.
    pub(super) fn oldest(&self, before: Timestamp, bytes_max: usize, streams_max: usize) -> Batch {
        let (mut ids, mut bytes, mut batch) = (BTreeSet::new(), 0_usize, Batch::default());
        let begin = self.rows.partition_point(|note| note.seq <= self.merging);
        for note in self.rows.range(begin..).take_while(|note| note.at <= before) {
            if batch.rows > 0 && (bytes + note.bytes > bytes_max || ids.len() >= streams_max) {
                break;
            }
            batch.rows += 1;
            batch.upto = note.seq;
            bytes += note.bytes;
            ids.extend(note.ids.iter().copied());
        }
        batch.gains = ids.into_iter().filter_map(|id| self.gain(id, batch.upto)).collect();
        batch
    }

    fn gain(&self, id: StreamId, upto: u64) -> Option<Gain> {
        let stream = self.streams.get(&id)?;
        let chunks = stream.chunks.iter().filter(|(seq, _)| (self.merging + 1..=upto).contains(seq));
        let producers = stream.producers.iter().filter(|(_, (seq, ..))| *seq <= upto);
        Some(Gain {
            id,
            chunks: chunks.map(|(_, chunk)| chunk.clone()).collect(),
            last_seq: stream.last_seq.as_ref().filter(|(seq, _)| *seq <= upto).map(|(_, text)| text.clone()),
            producers: producers.map(|(name, (_, state, at))| (name.clone(), *state, *at)).collect(),
        })
    }

    /// The running transaction has moved the rows up to this one.
    pub(super) fn set_merging(&mut self, upto: u64) {
        self.merging = self.merging.max(upto);
    }

    /// The transaction that moved rows failed.
    pub(super) fn merge_failed(&mut self) {
        self.merging = self.merged;
    }

    /// The transaction that moved the rows up to this one was committed.
    pub(super) fn merge_done(&mut self, upto: u64) {
        self.merged = self.merged.max(upto);
        self.merging = self.merging.max(upto);
        let mut ids = BTreeSet::new();
        while let Some(note) = self.rows.pop_front_if(|note| note.seq <= upto) {
            self.bytes = self.bytes.saturating_sub(note.bytes);
            ids.extend(note.ids);
        }
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

    /// Whether rows wait to be moved that are at least as old as this.
    pub(super) fn is_due(&self, before: Timestamp) -> bool {
        let begin = self.rows.partition_point(|note| note.seq <= self.merging);
        self.rows.get(begin).is_some_and(|note| note.at <= before)
    }
}
