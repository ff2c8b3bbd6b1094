//! How a reader comes in.

use std::sync::Arc;
use std::time::Duration;

use super::bell::{Bell, Whose};
use super::calendar::Tick;
use super::reader::Reader;
use super::shard::{Shard, Work};
use super::sockets::Heard;
use super::{Guest, Homed};
use crate::tail::Tail;

impl Shard {
    pub(super) fn arrive(&mut self, guest: Guest) {
        let Guest { tail, home, keep_alive } = guest;
        let Homed { mut socket, read, slot } = home;
        let Tail { log, held, writer, first, expires, hello: _ } = *tail;
        let key = self.readers.hold();
        if let Err(error) = self.sockets.watch(&mut socket, key) {
            tracing::error!(error.message = %error, "can't watch a live stream's socket, closing it");
            return self.readers.free(key);
        }
        self.serial += 1;
        let mut reader = Box::new(Reader {
            socket,
            heard: Heard { writable: true, ..Heard::default() },
            watches_writes: false,
            log: Some(log),
            held,
            writer,
            first,
            expires: expires.map(|at| self.calendar.tick(at).plus(Duration::from_millis(1))),
            bell: Bell::new(&self.inbox, Whose::Reader(key)),
            serial: self.serial,
            group: 0,
            place: 0,
            slot,
            keep_alive,
            ending: None,
            due: Tick::default(),
            ping_at: self.now.tick.plus(self.ping_every()),
            stalls_at: None,
            is_behind: false,
            took: false,
            rare: None,
        });
        reader.keep_read(read);
        // It listens first and is served then: what happens in between is seen.
        self.groups.join(&Arc::clone(&self.inbox), key, &mut reader);
        self.note_due(key, &mut reader);
        self.readers.put(key, reader);
        self.work.push_back(Work::Reader(key));
    }

    pub(super) fn ping_every(&self) -> Duration {
        Duration::from_secs(self.state.config().ping_seconds)
    }
}
