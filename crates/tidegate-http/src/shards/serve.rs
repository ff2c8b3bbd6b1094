//! Serving one reader: what comes next for it, written until its socket takes no more.
//!
//! Owns: the order: what was cut, then what the tail says, a few batches at most in one go.
//! Must not: wait for anything.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_gate::EndReason;
use tidegate_log::{Look, TailStep};
use tidegate_types::Offset;

use super::page::Page;
use super::reader::{Reader, Wrote};
use super::recent::Wanted;
use super::shard::{Shard, Work};
use crate::framing::chunked;
use crate::tail::{Batch, READ_RETRIES, READ_RETRY_AFTER};

/// After so many the reader goes to the back of the queue.
const BATCHES_AT_ONCE: u32 = 4;

/// What becomes of a reader that was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It waits for news.
    Waits,
    /// There is more for it.
    GoesOn,
    /// It reads from the log.
    IsBehind,
    /// It has ended, or its client is gone.
    Leaves,
}

enum Next {
    Batch(Arc<Batch>),
    Own(Bytes),
    Nothing,
    Skip,
    Behind,
    End(EndReason),
}

impl Shard {
    /// Listens to what a reader's bell had to say, then serves it.
    pub(super) fn attend(&mut self, key: u32) {
        let Some(mut reader) = self.readers.take(key) else { return };
        reader.bell.is_heard();
        if !reader.take_sent() {
            return self.dismiss(key, reader);
        }
        if reader.ending.is_none()
            && let Some(reason) = reader.end_wanted()
        {
            let wrote = self.say_goodbye(&mut reader, reason);
            self.note_write(key, &mut reader, wrote);
        }
        let fate = self.push(key, &mut reader);
        self.settle(key, reader, fate);
    }

    /// Serves a reader whose stream moved, unless it is busy with what it has.
    pub(super) fn serve(&mut self, key: u32) {
        if self.readers.find(key).is_none_or(|reader| reader.is_busy()) {
            return;
        }
        let Some(mut reader) = self.readers.take(key) else { return };
        let fate = self.push(key, &mut reader);
        self.settle(key, reader, fate);
    }

    fn settle(&mut self, key: u32, mut reader: Box<Reader>, fate: Fate) {
        match fate {
            Fate::Leaves => return self.dismiss(key, reader),
            Fate::GoesOn => self.work.push_back(Work::Reader(key)),
            Fate::IsBehind if !reader.is_behind => {
                reader.is_behind = true;
                self.pages.ask(key, reader.serial);
            }
            Fate::IsBehind => {}
            Fate::Waits => {}
        }
        self.note_due(key, &mut reader);
        self.readers.put(key, reader);
    }

    fn push(&mut self, key: u32, reader: &mut Reader) -> Fate {
        let wrote = reader.flush();
        if let Some(fate) = self.after(key, reader, wrote) {
            return fate;
        }
        if reader.retry_at().is_some() {
            return Fate::Waits;
        }
        for _ in 0..BATCHES_AT_ONCE {
            let wrote = match self.next(reader) {
                Next::Batch(batch) => self.write(reader, &batch),
                Next::Own(bytes) => reader.write_own(&bytes),
                Next::Skip => Wrote::All,
                Next::Nothing => return Fate::Waits,
                Next::Behind => return Fate::IsBehind,
                Next::End(reason) => self.say_goodbye(reader, reason),
            };
            if let Some(fate) = self.after(key, reader, wrote) {
                return fate;
            }
        }
        Fate::GoesOn
    }

    /// What a write means for the reader; `None` if it may go on.
    fn after(&mut self, key: u32, reader: &mut Reader, wrote: Wrote) -> Option<Fate> {
        self.note_write(key, reader, wrote);
        match wrote {
            Wrote::Gone => {
                reader.ending = None;
                Some(Fate::Leaves)
            }
            Wrote::Blocked => Some(Fate::Waits),
            Wrote::All if reader.ending.is_some() => Some(Fate::Leaves),
            Wrote::All => None,
        }
    }

    fn write(&mut self, reader: &mut Reader, batch: &Batch) -> Wrote {
        self.writes += 1;
        self.delivered += batch.records;
        if !reader.writer.pings_always() {
            reader.ping_at = self.now.tick.plus(self.ping_every());
        }
        reader.write_batch(batch, &mut self.scratch)
    }

    fn next(&mut self, reader: &mut Reader) -> Next {
        let limit = usize::try_from(self.state.limits().tail_write_bytes).unwrap_or(usize::MAX);
        let Some(group) = self.groups.slots.find(reader.group) else { return Next::Nothing };
        let shares = group.shares(reader);
        let Some(log) = reader.log.as_mut() else { return Next::Nothing };
        let from = log.cursor();
        if shares {
            let reach = group.source.reach();
            let style = reader.writer.style(self.now.wall);
            let wanted = Wanted { stream: group.stream, from, style, tail: reach.tail() };
            if log.is_plain(&reach)
                && let Some(batch) = self.recent.find(&wanted)
            {
                return Next::Batch(batch);
            }
        }
        match log.look(limit) {
            Look::Wait => Next::Nothing,
            Look::Behind => Next::Behind,
            Look::Step(step) => self.make(reader, step, from),
        }
    }

    /// A step of the tail as something to write.
    fn make(&mut self, reader: &Reader, step: TailStep, from: Offset) -> Next {
        let own = |bytes: Option<Bytes>| bytes.map_or(Next::Skip, |bytes| Next::Own(chunked(&bytes)));
        match step {
            TailStep::Gap(gap) => own(reader.writer.gap(&gap)),
            TailStep::UpToDate => own(reader.writer.up_to_date(from, self.now.wall)),
            TailStep::Closed => Next::End(EndReason::Eof),
            TailStep::Deleted => Next::End(EndReason::Deleted),
            TailStep::Frames { frames, up_to_date } => {
                let Some(batch) = reader.writer.batch(&frames, up_to_date, self.now.wall) else {
                    return Next::Skip;
                };
                let batch = Arc::new(batch);
                let group = self.groups.slots.find(reader.group);
                if let Some(group) = group.filter(|group| group.shares(reader)) {
                    self.recent.put(group.stream, &batch);
                }
                Next::Batch(batch)
            }
        }
    }

    /// Starts pages for those who wait for one; who finds its records in memory needs none.
    pub(super) fn start_pages(&mut self) {
        let limit = usize::try_from(self.state.limits().tail_write_bytes).unwrap_or(usize::MAX);
        while let Some(asked) = self.pages.next() {
            let Some(reader) = self.readers.find_mut(asked.0).filter(|reader| reader.serial == asked.1)
            else {
                continue;
            };
            reader.is_behind = false;
            let Some(group) = self.groups.slots.find(reader.group) else { continue };
            let Some(log) = reader.log.as_ref() else { continue };
            let reach = group.source.reach();
            let style = reader.writer.style(self.now.wall);
            let wanted = Wanted { stream: group.stream, from: log.cursor(), style, tail: reach.tail() };
            // Where it would not be taken in `next`, the reader would be back here for ever.
            if group.shares(reader) && log.is_plain(&reach) && self.recent.find(&wanted).is_some() {
                self.work.push_back(Work::Reader(asked.0));
            } else if let Some(log) = reader.log.take() {
                self.pages.start(&self.inbox, asked, log, limit);
            }
        }
    }

    /// Goes on with a page that came.
    pub(super) fn take_page(&mut self, page: Page) {
        self.pages.done();
        let Page { key, serial, log, step } = page;
        let Some(mut reader) = self.readers.take(key) else { return };
        if reader.serial != serial {
            return self.readers.put(key, reader);
        }
        reader.log = Some(log);
        if reader.ending.is_some() {
            return self.readers.put(key, reader);
        }
        let fate = match step {
            Ok(step) => {
                reader.succeeded();
                self.push_step(key, &mut reader, step)
            }
            Err(error) => {
                let failures = reader.failed();
                tracing::warn!(error.message = %error, failures, "a live stream could not be read");
                if failures >= READ_RETRIES {
                    let wrote = self.say_goodbye(&mut reader, EndReason::Reauth);
                    self.after(key, &mut reader, wrote).unwrap_or(Fate::Waits)
                } else {
                    reader.retry(Some(self.now.tick.plus(READ_RETRY_AFTER)));
                    Fate::Waits
                }
            }
        };
        self.settle(key, reader, fate);
    }

    fn push_step(&mut self, key: u32, reader: &mut Reader, step: Option<TailStep>) -> Fate {
        let Some(step) = step else { return self.push(key, reader) };
        let from = reader.log.as_ref().map_or(reader.first, tidegate_log::Tail::cursor);
        let wrote = match self.make(reader, step, from) {
            Next::Batch(batch) => self.write(reader, &batch),
            Next::Own(bytes) => reader.write_own(&bytes),
            Next::End(reason) => self.say_goodbye(reader, reason),
            Next::Skip | Next::Nothing | Next::Behind => Wrote::All,
        };
        self.after(key, reader, wrote).unwrap_or(Fate::GoesOn)
    }
}
