//! What time does to a reader: pings, stalls, expiry, another try at a log that failed.
//!
//! Owns: when to look next; the calendar holds one entry a reader that counts.

use std::time::Duration;

use tidegate_gate::EndReason;

use super::calendar::Tick;
use super::reader::{Reader, Wrote};
use super::shard::{Shard, Work};
use crate::framing::chunked;

impl Shard {
    pub(super) fn do_what_is_due(&mut self) {
        self.groups.wake_from_rest(self.now.tick);
        while let Some((tick, keys)) = self.calendar.take_due(self.now.tick) {
            for key in keys {
                if self.readers.find(key).is_some_and(|reader| reader.due == tick) {
                    self.look_at(key);
                }
            }
        }
    }

    fn look_at(&mut self, key: u32) {
        let Some(mut reader) = self.readers.take(key) else { return };
        let now = self.now.tick;
        // Its entry was used up; the next is made from what holds then.
        reader.due = Tick::default();
        let mut wrote = if reader.is_blocked() { Wrote::Blocked } else { Wrote::All };
        if reader.stalls_at.is_some_and(|at| at <= now) {
            // After a pause of the whole process its socket may have room of which nobody heard yet.
            wrote = reader.try_again();
            if wrote == Wrote::Blocked && !reader.took {
                reader.ending = Some(EndReason::Slow);
                return self.dismiss(key, reader);
            }
            self.note_write(key, &mut reader, wrote);
            self.work.push_back(Work::Reader(key));
        }
        if wrote != Wrote::Gone && reader.ending.is_none() {
            wrote = self.remind(&mut reader);
        }
        if reader.retry_at().is_some_and(|at| at <= now) {
            reader.retry(None);
            self.work.push_back(Work::Reader(key));
        }
        self.note_write(key, &mut reader, wrote);
        if wrote == Wrote::Gone || (wrote == Wrote::All && reader.ending.is_some()) {
            reader.ending = reader.ending.filter(|_| wrote == Wrote::All);
            return self.dismiss(key, reader);
        }
        self.note_due(key, &mut reader);
        self.readers.put(key, reader);
    }

    /// Ends a reader whose credential ran out, or pings it.
    fn remind(&self, reader: &mut Reader) -> Wrote {
        let now = self.now;
        if reader.expires.is_some_and(|at| at <= now.tick) {
            return self.say_goodbye(reader, EndReason::Reauth);
        }
        if reader.ping_at > now.tick {
            return if reader.is_blocked() { Wrote::Blocked } else { Wrote::All };
        }
        reader.ping_at = now.tick.plus(self.ping_every());
        // Who takes nothing gets no pings on top.
        if reader.is_blocked() {
            Wrote::Blocked
        } else {
            reader.write_own(&chunked(&reader.writer.ping(now.wall)))
        }
    }

    /// Notes whether a reader's socket takes bytes, here and at the gate.
    pub(super) fn note_write(&mut self, key: u32, reader: &mut Reader, wrote: Wrote) {
        if wrote == Wrote::Blocked && !reader.watches_writes {
            // Without it the reader is closed as slow, which is what it looks like then.
            reader.watches_writes = self.sockets.watch_writes(&mut reader.socket, key).is_ok();
        }
        match (wrote, reader.is_blocked()) {
            (Wrote::All, true) => {
                reader.stalls_at = None;
                reader.held.progressed(false);
            }
            (Wrote::Blocked, false) => {
                reader.stalls_at = Some(self.now.tick.plus(self.stall_limit()));
                reader.held.progressed(true);
                self.note_due(key, reader);
            }
            (Wrote::Blocked, true) if reader.took => {
                // Slow, but not stalled.
                reader.stalls_at = Some(self.now.tick.plus(self.stall_limit()));
                reader.held.progressed(false);
                reader.held.progressed(true);
            }
            (Wrote::All, false) | (Wrote::Blocked, true) | (Wrote::Gone, _) => {}
        }
        reader.took = false;
    }

    fn stall_limit(&self) -> Duration {
        Duration::from_millis(self.state.limits().tail_stall_ms)
    }

    /// Makes sure that the calendar has an entry no later than the reader needs.
    pub(super) fn note_due(&mut self, key: u32, reader: &mut Reader) {
        let others = [reader.expires, reader.stalls_at, reader.retry_at()];
        let next = others.into_iter().flatten().fold(reader.ping_at, std::cmp::Ord::min);
        let has_entry = reader.due > self.now.tick && reader.due <= next;
        if !has_entry {
            reader.due = next.max(self.now.tick.plus(Duration::from_millis(1)));
            self.calendar.put(reader.due, key);
        }
    }
}
