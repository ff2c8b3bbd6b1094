//! Turning commands into planned writes, answers and news for live readers.
//!
//! Pure but for the heads that it moves: the same commands on the same heads plan the same.

use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidegate_types::{Offset, StreamPath, Timestamp};

use super::command::{Answer, Command};
use super::fork::{self, Origin};
use super::head::{Head, Verdict};
use super::heads::Heads;
use crate::fork::Measured;
use crate::renewals::Renewals;
use crate::store::{Chunk, ProducerState, SHARED_BELOW, Stored, Write, codec};
use crate::{Append, AppendError, Appended, CreateError, Created, Fork, NewStream, StreamId, StreamInfo};

/// A chunk takes records of one commit up to this size, or one record that is larger.
const CHUNK_BYTES: usize = 64 * 1024;

/// What is fixed for one group.
#[derive(Clone, Copy)]
pub(super) struct Round<'a> {
    /// Rises with each; never zero.
    pub(super) number: u64,
    pub(super) at: Timestamp,
    pub(super) first_new_id: i64,
    pub(super) producers_per_stream: usize,
    pub(super) fork_depth: usize,
    pub(super) renewals: &'a Renewals,
}

/// What a group will have done once it is committed.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) writes: Vec<Write>,
    pub(super) answers: Vec<Answer>,
    /// Each stream once.
    pub(super) moved: Vec<Moved>,
    /// The records that were written, by stream.
    pub(super) chunks: Vec<Chunk>,
}

/// What changed about a stream.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) stored: Stored,
    pub(crate) at: Timestamp,
    pub(crate) deleted: bool,
    pub(crate) written: bool,
    /// Which of the group's chunks are its own.
    chunks: Range<usize>,
    /// The position before its first record of this group.
    first: Offset,
    records: Vec<Bytes>,
    head_changed: bool,
    seq_changed: bool,
}

pub(super) fn plan(
    heads: &mut Heads,
    round: Round<'_>,
    commands: impl ExactSizeIterator<Item = Command>,
) -> Plan {
    // Grown as they fill, these would be moved some seven times, their large entries with them.
    let count = commands.len();
    let plan = Plan {
        writes: Vec::with_capacity(count),
        answers: Vec::with_capacity(count),
        moved: Vec::with_capacity(count),
        chunks: Vec::with_capacity(count),
    };
    let mut planner = Planner { heads, round, next_id: round.first_new_id, plan };
    for command in commands {
        planner.take(command);
    }
    planner.finish()
}

struct Planner<'a> {
    heads: &'a mut Heads,
    round: Round<'a>,
    next_id: i64,
    plan: Plan,
}

impl Planner<'_> {
    fn take(&mut self, command: Command) {
        let answer = match command {
            Command::Create { path, new, measured, answer } => {
                Answer::Create(answer, self.create(path, new, measured))
            }
            Command::Append { path, append, answer } => Answer::Append(answer, self.append(&path, append)),
            Command::Delete { path, answer } => Answer::Deleted(answer, self.delete(&path)),
            Command::Trim { path, before, answer } => Answer::Trimmed(answer, self.trim(&path, before)),
            Command::Expire { path, id, answer } => Answer::Deleted(answer, self.expire(&path, id)),
            Command::Renew { path, id, at } => return self.renew(&path, id, at),
        };
        self.plan.answers.push(answer);
    }

    fn create(
        &mut self,
        path: StreamPath,
        new: NewStream,
        measured: Option<Measured>,
    ) -> Result<Created, CreateError> {
        if let Some(there) = self.living(&path).map(|head| head.stored.clone()) {
            let source = new.fork.as_ref().and_then(|fork| self.heads.find(&fork.source));
            let same = fork::is_same(&there, &new, source.map(|head| &head.stored));
            let existing = Created { info: there.info, existed: true };
            return if same { Ok(existing) } else { Err(CreateError::Exists) };
        }
        if self.is_gone(&path) {
            return Err(CreateError::Kept);
        }
        let origin = self.origin(&new, measured)?;
        let at = self.round.at;
        let info = StreamInfo {
            id: StreamId::new(self.next_id),
            path: path.clone(),
            content_type: origin.content_type,
            start: origin.start,
            tail: origin.tail.plus(new.records.len() as u64),
            closed: new.closed,
            ttl: origin.ttl,
            expires_at: origin.expires_at,
            created_at: at,
        };
        self.next_id += 1;
        let deadline = info.expires_at.or(info.ttl.map(|ttl| at.plus(ttl)));
        let stored = Stored { deadline, info: info.clone(), fork: origin.fork, forks: 0, gone: false };
        self.plan.writes.push(Write::Insert(stored.clone()));
        let mut head = Head::new(stored);
        note(&mut self.plan, self.round, &mut head, |moved| moved.fill(origin.tail, new.records));
        self.heads.insert(path, head);
        Ok(Created { info, existed: false })
    }

    /// What the new stream begins with; its source then has one fork more.
    fn origin(&mut self, new: &NewStream, measured: Option<Measured>) -> Result<Origin, CreateError> {
        let Some(wanted) = &new.fork else { return Ok(fork::nothing(new)) };
        let depth_max = self.round.fork_depth;
        let Some(source) = self.living(&wanted.source) else {
            let gone = self.is_gone(&wanted.source);
            return Err(if gone { CreateError::SourceDeleted } else { CreateError::NoSource });
        };
        let origin = fork::of(&source.stored, wanted, new, measured, depth_max)?;
        if let Some(source) = self.heads.find(&wanted.source) {
            source.stored.forks += 1;
        }
        Ok(origin)
    }

    fn append(&mut self, path: &StreamPath, append: Append) -> Result<Appended, AppendError> {
        let Round { at, renewals, producers_per_stream: keep, .. } = self.round;
        // As `lives` does, in one look: finding the head is a good part of an append's plan.
        let Some(head) = self.heads.find(path) else { return Err(AppendError::NotFound) };
        if head.stored.gone {
            return Err(AppendError::Gone);
        }
        if renewals.is_expired(&head.stored, at) {
            self.remove(path);
            return Err(if self.is_gone(path) { AppendError::Gone } else { AppendError::NotFound });
        }
        let (producer, new_producer) = match head.judge(&append)? {
            Verdict::Accepted { producer, new_producer } => (producer, new_producer),
            Verdict::Settled { producer, duplicate } => {
                let StreamInfo { tail, closed, .. } = head.stored.info;
                return Ok(Appended { first: tail, tail, duplicate, closed, producer, at });
            }
        };
        let first = head.advance(&append, producer);
        let renewed = head.renew(at, head.slack());
        note(&mut self.plan, self.round, head, |moved| {
            moved.head_changed |= append.close || renewed;
            moved.seq_changed |= append.seq.is_some();
            moved.fill(first, append.records);
        });
        let StreamInfo { id, tail, closed, .. } = head.stored.info;
        if let (Some(given), Some(ack)) = (append.producer, producer) {
            let state = ProducerState { epoch: ack.epoch, last_seq: ack.seq };
            let keep = new_producer.then_some(keep);
            self.plan.writes.push(Write::Producer { id, producer: given.id, state, at, keep });
        }
        Ok(Appended { first, tail, duplicate: false, closed, producer, at })
    }

    fn delete(&mut self, path: &StreamPath) -> bool {
        let lives = self.lives(path);
        if lives {
            self.remove(path);
        }
        lives
    }

    fn trim(&mut self, path: &StreamPath, before: Offset) -> Option<Offset> {
        self.living(path)?;
        let head = self.heads.find(path)?;
        let info = &mut head.stored.info;
        let start = before.clamp(info.start, info.tail);
        if start > info.start {
            info.start = start;
            self.plan.writes.push(Write::Trim { id: info.id, start });
            note(&mut self.plan, self.round, head, |_| {});
        }
        Some(start)
    }

    fn expire(&mut self, path: &StreamPath, id: StreamId) -> bool {
        let is_it = self.heads.find(path).is_some_and(|head| head.stored.info.id == id);
        // An expired stream is removed by looking whether it lives.
        is_it && !self.lives(path)
    }

    fn renew(&mut self, path: &StreamPath, id: StreamId, at: Timestamp) {
        if let Some(head) = self.heads.find(path)
            && head.stored.info.id == id
            && !head.stored.gone
            && head.renew(at, Duration::ZERO)
        {
            note(&mut self.plan, self.round, head, |moved| moved.head_changed = true);
        }
    }

    /// The stream at the path, if its time is not up; one whose time is up is removed.
    fn living(&mut self, path: &StreamPath) -> Option<&Head> {
        if !self.lives(path) {
            return None;
        }
        self.heads.find(path).map(|head| &*head)
    }

    /// The same where the stream itself is not looked at.
    fn lives(&mut self, path: &StreamPath) -> bool {
        let (at, renewals) = (self.round.at, self.round.renewals);
        let Some(Head { stored, .. }) = self.heads.find(path) else { return false };
        if stored.gone {
            return false;
        }
        let is_expired = renewals.is_expired(stored, at);
        if is_expired {
            self.remove(path);
        }
        !is_expired
    }

    fn is_gone(&mut self, path: &StreamPath) -> bool {
        self.heads.find(path).is_some_and(|head| head.stored.gone)
    }

    fn remove(&mut self, path: &StreamPath) {
        let Some(head) = self.heads.find(path) else { return };
        let StreamInfo { id, tail, .. } = head.stored.info;
        self.plan.writes.push(Write::Delete { id, at: self.round.at, tail });
        note(&mut self.plan, self.round, head, |moved| moved.deleted = true);
        if head.stored.forks > 0 {
            self.heads.mark_gone(path);
            return;
        }
        let fork = head.stored.fork.clone();
        self.heads.forget(path);
        if let Some(fork) = fork {
            self.release(&fork);
        }
    }

    /// One fork less points at the stream. What follows from that for its own source is left to housekeeping.
    fn release(&mut self, fork: &Fork) {
        let source = self.heads.find(&fork.path).map(|head| &mut head.stored);
        let Some(source) = source.filter(|source| source.info.id == fork.source) else { return };
        source.forks = source.forks.saturating_sub(1);
        if source.gone && source.forks == 0 {
            self.heads.forget(&fork.path);
        }
    }

    fn finish(self) -> Plan {
        let Self { heads, mut plan, .. } = self;
        let Plan { writes, moved, chunks, .. } = &mut plan;
        let shared = moved.iter().map(|moved| codec::chunk_bytes(&moved.records));
        let mut room = BytesMut::with_capacity(shared.filter(|bytes| *bytes < SHARED_BELOW).sum());
        for moved in moved {
            let id = moved.stored.info.id;
            let begin = chunks.len();
            moved.encode(&mut room, chunks);
            moved.chunks = begin..chunks.len();
            let own = chunks.get(begin..).unwrap_or_default();
            writes.extend(own.iter().map(|chunk| Write::Chunk { id, chunk: chunk.clone() }));
            if moved.deleted {
                continue;
            }
            let head = if moved.seq_changed { heads.find(&moved.stored.info.path) } else { None };
            if let Some(last_seq) = head.and_then(|head| head.last_seq.clone()) {
                writes.push(Write::Seq { id, last_seq });
            }
            if moved.head_changed {
                let (closed, deadline) = (moved.stored.info.closed, moved.stored.deadline);
                writes.push(Write::Head { id, closed, deadline });
            }
        }
        heads.drop_gone();
        plan
    }
}

/// Changes the news of a stream, and brings it up to its head.
fn note(plan: &mut Plan, round: Round<'_>, head: &mut Head, change: impl FnOnce(&mut Moved)) {
    let (in_round, place) = head.moved;
    if let Some(moved) = plan.moved.get_mut(place).filter(|_| in_round == round.number) {
        moved.follow(&head.stored);
        return change(moved);
    }
    let mut moved = Moved::of(&head.stored, round.at);
    change(&mut moved);
    head.moved = (round.number, plan.moved.len());
    plan.moved.push(moved);
}

impl Moved {
    fn of(stored: &Stored, at: Timestamp) -> Self {
        Self {
            stored: stored.clone(),
            at,
            deleted: false,
            written: false,
            chunks: 0..0,
            first: stored.info.tail,
            records: Vec::new(),
            head_changed: false,
            seq_changed: false,
        }
    }

    fn follow(&mut self, stored: &Stored) {
        let info = &mut self.stored.info;
        info.tail = stored.info.tail;
        info.start = stored.info.start;
        info.closed = stored.info.closed;
        self.stored.deadline = stored.deadline;
    }

    /// Its own among the group's chunks.
    pub(crate) fn own<'a>(&self, chunks: &'a [Chunk]) -> &'a [Chunk] {
        chunks.get(self.chunks.clone()).unwrap_or_default()
    }

    fn fill(&mut self, first: Offset, records: Vec<Bytes>) {
        self.written = true;
        if self.records.is_empty() {
            (self.first, self.records) = (first, records);
        } else {
            self.records.extend(records);
        }
    }

    /// `room`: memory that small chunks share, so that a group asks the allocator once and not for each of its streams.
    fn encode(&mut self, room: &mut BytesMut, chunks: &mut Vec<Chunk>) {
        let records = std::mem::take(&mut self.records);
        let (mut left, mut first) = (&records[..], self.first);
        while !left.is_empty() {
            let (fitting, rest) = left.split_at(fitting(left));
            let bytes = codec::chunk_bytes(fitting);
            chunks.push(if bytes < SHARED_BELOW {
                codec::encode(room, first, self.at, fitting)
            } else {
                codec::encode(&mut BytesMut::with_capacity(bytes), first, self.at, fitting)
            });
            first = first.plus(fitting.len() as u64);
            left = rest;
        }
    }
}

/// How many of these records lie in one chunk.
fn fitting(records: &[Bytes]) -> usize {
    let mut bytes = 0_usize;
    let fits = records.iter().take_while(|record| {
        let is_first = bytes == 0;
        bytes = bytes.saturating_add(record.len()).max(1);
        is_first || bytes <= CHUNK_BYTES
    });
    fits.count()
}
