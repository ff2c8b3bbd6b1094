//! One reader: its socket, its cursor, its place at the gate.
//!
//! Owns: writing without waiting, what is left of a record that was cut, and what the client sends meanwhile.
//! Must not: hold more than that one cut record: a slow reader is a cursor.

use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes};
use tidegate_gate::EndReason;
use tidegate_log::Tail as LogTail;
use tidegate_types::Offset;

use super::bell::Bell;
use super::calendar::Tick;
use super::sockets::Heard;
use crate::server::{Bare, Slot};
use crate::tail::{Batch, Held, Writer};

/// What a client may send ahead while its stream runs: the next request, not more.
const SENT_AHEAD_BYTES: usize = 16 * 1_024;
const READ_BYTES: usize = 2 * 1_024;

pub(super) struct Reader {
    pub(super) socket: Bare,
    /// What its poller said last, until a try shows otherwise.
    pub(super) heard: Heard,
    /// Its poller is to tell when the socket takes bytes again.
    pub(super) watches_writes: bool,
    /// Away while a page is read.
    pub(super) log: Option<LogTail>,
    pub(super) held: Held,
    pub(super) writer: Writer,
    pub(super) first: Offset,
    pub(super) expires: Option<Tick>,
    pub(super) bell: Arc<Bell>,
    /// Tells this reader from an earlier one at the same place.
    pub(super) serial: u64,
    pub(super) group: u32,
    pub(super) place: u32,
    pub(super) slot: Slot,
    pub(super) keep_alive: bool,
    pub(super) ending: Option<EndReason>,
    /// When its next entry in the calendar is.
    pub(super) due: Tick,
    pub(super) ping_at: Tick,
    /// Set while the socket takes nothing: when it has taken nothing for too long.
    pub(super) stalls_at: Option<Tick>,
    /// It waits for a page.
    pub(super) is_behind: bool,
    /// The socket took bytes since the last look.
    pub(super) took: bool,
    /// What few readers have at any time; most have none, and it goes when it is empty.
    pub(super) rare: Option<Box<Rare>>,
}

#[derive(Default)]
pub(super) struct Rare {
    /// What the client sent that nobody read yet.
    read: Bytes,
    /// What is left of a record that was cut.
    rest: Bytes,
    /// While the log can't be read.
    retry: Option<Retry>,
}

#[derive(Clone, Copy, Default)]
struct Retry {
    at: Option<Tick>,
    failures: u32,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    All,
    /// The socket takes no more for now; its poller is to tell when it does.
    Blocked,
    Gone,
}

impl Reader {
    pub(super) fn hear(&mut self, heard: Heard) {
        self.heard.readable |= heard.readable;
        self.heard.writable |= heard.writable;
        self.heard.hung_up |= heard.hung_up;
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.stalls_at.is_some()
    }

    /// Whether news of its stream must wait for something else first.
    pub(super) fn is_busy(&self) -> bool {
        self.is_blocked() || self.is_behind || self.log.is_none() || self.retry_at().is_some()
    }

    /// Writes a batch and moves the cursor past what went out.
    pub(super) fn write_batch(&mut self, batch: &Batch, scratch: &mut Vec<u8>) -> Wrote {
        let bytes = batch.bytes_for(&self.writer, scratch);
        let wrote = self.try_write(bytes);
        let Some(written) = wrote else { return Wrote::Gone };
        let (rest, reached) =
            if written == bytes.len() { (Bytes::new(), batch.to) } else { batch.cut(written, bytes) };
        let all = written == bytes.len();
        self.set_rest(rest);
        if let Some(log) = self.log.as_mut() {
            log.move_to(reached);
        }
        self.held.note_offsets(self.first, reached);
        if all { Wrote::All } else { self.flush_blocked() }
    }

    /// Writes bytes of this reader's own; what does not go out now goes out first next time.
    pub(super) fn write_own(&mut self, bytes: &Bytes) -> Wrote {
        if self.has_rest() {
            let all = [self.rest(), &bytes[..]].concat();
            self.set_rest(all.into());
        } else {
            let Some(written) = self.try_write(bytes) else { return Wrote::Gone };
            self.set_rest(bytes.slice(written..));
        }
        if self.has_rest() { self.flush_blocked() } else { Wrote::All }
    }

    /// Writes what is left from before.
    pub(super) fn flush(&mut self) -> Wrote {
        if self.is_blocked() || self.has_rest() { self.flush_blocked() } else { Wrote::All }
    }

    /// The same, whatever was heard of the socket.
    pub(super) fn try_again(&mut self) -> Wrote {
        self.heard.writable = true;
        self.flush()
    }

    /// Goes on after a write that did not go through, or asks to be told when it may.
    fn flush_blocked(&mut self) -> Wrote {
        loop {
            if !self.heard.writable {
                return Wrote::Blocked;
            }
            let Some(mut rest) = self.rare.as_mut().map(|rare| std::mem::take(&mut rare.rest)) else {
                return Wrote::All;
            };
            let Some(written) = self.try_write(&rest) else { return Wrote::Gone };
            rest.advance(written);
            let all = rest.is_empty();
            self.set_rest(rest);
            if all {
                return Wrote::All;
            }
        }
    }

    /// How much the socket took; `None` if it is gone.
    fn try_write(&mut self, bytes: &[u8]) -> Option<usize> {
        if bytes.is_empty() || !self.heard.writable {
            return Some(0);
        }
        loop {
            match self.socket.write(bytes) {
                Ok(written) => {
                    self.took = true;
                    // Less than all is as much as it takes.
                    self.heard.writable = written == bytes.len();
                    return Some(written);
                }
                Err(error) if error.kind() == Interrupted => {}
                Err(error) if error.kind() == WouldBlock => {
                    self.heard.writable = false;
                    return Some(0);
                }
                Err(_) => return None,
            }
        }
    }

    /// Takes what the client sent; `false` once it hung up.
    pub(super) fn take_sent(&mut self) -> bool {
        // Whoever hung up has no use for what comes next, whatever they sent before.
        if self.heard.hung_up || !self.heard.readable {
            return !self.heard.hung_up;
        }
        let mut buffer = [0; READ_BYTES];
        // Whoever sends more than a request ahead is not read from until its turn.
        while self.rare.as_ref().is_none_or(|rare| rare.read.len() <= SENT_AHEAD_BYTES) {
            match self.socket.read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    let new = buffer.get(..read).unwrap_or_default();
                    let rare = self.rare();
                    rare.read = [&rare.read[..], new].concat().into();
                }
                Err(error) if error.kind() == Interrupted => {}
                Err(error) if error.kind() == WouldBlock => {
                    self.heard.readable = false;
                    return true;
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Keeps what the client sent before anybody read it.
    pub(super) fn keep_read(&mut self, read: Bytes) {
        if !read.is_empty() {
            self.rare().read = read;
        }
    }

    pub(super) fn take_read(&mut self) -> Bytes {
        self.rare.take().map(|rare| rare.read).unwrap_or_default()
    }

    pub(super) fn has_rest(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.rest.is_empty())
    }

    fn rest(&self) -> &[u8] {
        self.rare.as_ref().map_or(&[], |rare| &rare.rest)
    }

    fn set_rest(&mut self, rest: Bytes) {
        if !rest.is_empty() {
            self.rare().rest = rest;
        } else if let Some(rare) = self.rare.as_mut() {
            // A small rest must not keep a large buffer.
            rare.rest = Bytes::new();
            self.tidy();
        }
    }

    /// When the log is asked again, while it can't be read.
    pub(super) fn retry_at(&self) -> Option<Tick> {
        self.rare.as_ref()?.retry?.at
    }

    /// The log could not be read; answers how often in a row that was.
    pub(super) fn failed(&mut self) -> u32 {
        let retry = self.rare().retry.get_or_insert_default();
        retry.failures += 1;
        retry.failures
    }

    /// Has the log asked again at this time; at none it is asked when it has news.
    pub(super) fn retry(&mut self, at: Option<Tick>) {
        if let Some(retry) = self.rare.as_mut().and_then(|rare| rare.retry.as_mut()) {
            retry.at = at;
        }
    }

    /// The log was read.
    pub(super) fn succeeded(&mut self) {
        if let Some(rare) = self.rare.as_mut() {
            rare.retry = None;
            self.tidy();
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn tidy(&mut self) {
        self.rare.take_if(|rare| rare.read.is_empty() && rare.rest.is_empty() && rare.retry.is_none());
    }

    /// The reason for which the gate wants it to end, if it does.
    pub(super) fn end_wanted(&self) -> Option<EndReason> {
        match self.held.poll_ended(&Context::from_waker(&self.waker())) {
            Poll::Ready(reason) => Some(reason),
            Poll::Pending => None,
        }
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.bell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_at_rest_is_small() {
        // There is one for each open socket: think twice before you raise this.
        assert!(size_of::<Reader>() <= 328, "{} bytes", size_of::<Reader>());
    }
}
