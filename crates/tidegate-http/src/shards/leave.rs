//! How a reader goes: with a word of why, back to the HTTP server if it may, or because it is gone.

use std::net::Shutdown;

use bytes::Bytes;
use tidegate_gate::EndReason;

use super::Homed;
use super::reader::{Reader, Wrote};
use super::shard::Shard;
use crate::framing::{LAST_CHUNK, chunked};
use crate::tail::retry_ms;

impl Shard {
    /// Writes the last words. The reader goes when they are out.
    pub(super) fn say_goodbye(&self, reader: &mut Reader, reason: EndReason) -> Wrote {
        reader.ending = Some(reason);
        let at = reader.log.as_ref().map_or(reader.first, tidegate_log::Tail::cursor);
        let end = reader.writer.end(reason, at, retry_ms(&self.state, reason));
        let mut last = end.map_or_else(Vec::new, |end| chunked(&end).to_vec());
        last.extend_from_slice(LAST_CHUNK);
        reader.write_own(&Bytes::from(last))
    }

    /// Takes a reader out.
    pub(super) fn dismiss(&mut self, key: u32, mut reader: Box<Reader>) {
        if let Some(moved) = self.groups.leave(&reader, self.now.tick)
            && let Some(other) = self.readers.find_mut(moved)
        {
            other.place = reader.place;
        }
        self.readers.free(key);
        let said_goodbye = reader.ending.is_some() && !reader.has_rest() && !reader.is_blocked();
        let read = reader.take_read();
        let Reader { mut held, ending, mut socket, slot, keep_alive, .. } = *reader;
        if let Some(reason) = ending {
            held.finish(reason);
        }
        drop(held);
        if said_goodbye && keep_alive && !self.state.is_draining() && self.sockets.leave(&mut socket).is_ok()
        {
            (self.take_back)(Homed { socket, read, slot });
        } else if said_goodbye {
            // Before it is closed: with bytes that nobody read that would cut off what was said. An error means
            // that the other end is gone already.
            let _ = socket.shutdown(Shutdown::Write);
        }
    }
}
