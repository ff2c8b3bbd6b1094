//! One socket of the bare loop: a publisher's, or a reader's with its cursor.

use std::io::{ErrorKind, Read as _, Write as _};

use mio::net::TcpStream;

use super::log::Log;
use super::request::Request;

const REQUEST_MAX: usize = 512 << 10;
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n: hi\n\n\r\n";

pub(super) struct Connection {
    socket: TcpStream,
    /// What came of a request that is not all there.
    part: Vec<u8>,
    reader: Option<Reader>,
}

#[derive(Clone, Copy)]
struct Reader {
    log: usize,
    slot: usize,
    cursor: u64,
    blocked: bool,
}

/// What a read brought.
pub(super) enum Read {
    Nothing,
    Closed,
    /// Bytes, but no whole request.
    Part,
    Whole(Request),
}

/// Why a write is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    LogGrew,
    SocketTakesMore,
}

/// What became of a write.
pub(super) enum Written {
    AsBefore,
    Closed,
    /// The socket takes no more: poll for when it does.
    Blocked,
    /// It took everything again.
    Free,
}

impl Connection {
    pub(super) const fn new(socket: TcpStream) -> Self {
        Self { socket, part: Vec::new(), reader: None }
    }

    /// What a read brought, and how many bytes it was.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> (Read, usize) {
        let count = match self.socket.read(scratch) {
            Ok(0) => return (Read::Closed, 0),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return (Read::Nothing, 0),
            Err(_) => return (Read::Closed, 0),
        };
        (self.take(scratch.get(..count).unwrap_or_default()), count)
    }

    fn take(&mut self, fresh: &[u8]) -> Read {
        if self.part.is_empty() {
            // The usual case copies nothing but the record.
            return match Request::parse(fresh) {
                Ok(Some((request, taken))) if taken == fresh.len() => Read::Whole(request),
                Ok(None) => {
                    self.part.extend_from_slice(fresh);
                    Read::Part
                }
                _ => Read::Closed,
            };
        }
        self.part.extend_from_slice(fresh);
        match Request::parse(&self.part) {
            Ok(Some((request, taken))) if taken == self.part.len() => {
                self.part = Vec::new();
                Read::Whole(request)
            }
            Ok(None) if self.part.len() <= REQUEST_MAX => Read::Part,
            _ => Read::Closed,
        }
    }

    /// Writes a small answer; `false` when the socket does not take it.
    pub(super) fn answer(&mut self, bytes: &[u8]) -> bool {
        self.socket.write(bytes).is_ok_and(|count| count == bytes.len())
    }

    pub(super) fn subscribe(&mut self, log: usize, slot: usize, cursor: u64) -> bool {
        self.reader = Some(Reader { log, slot, cursor, blocked: false });
        self.answer(HEAD)
    }

    pub(super) fn write(&mut self, log: &Log, cause: Cause) -> Written {
        let Some(reader) = &mut self.reader else { return Written::AsBefore };
        let was_blocked = reader.blocked;
        if was_blocked && cause == Cause::LogGrew {
            return Written::AsBefore;
        }
        loop {
            let bytes = log.after(reader.cursor);
            if bytes.is_empty() {
                reader.blocked = false;
                return if was_blocked { Written::Free } else { Written::AsBefore };
            }
            match self.socket.write(bytes) {
                Ok(count) => reader.cursor += count as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    reader.blocked = true;
                    return if was_blocked { Written::AsBefore } else { Written::Blocked };
                }
                Err(_) => return Written::Closed,
            }
        }
    }

    pub(super) const fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub(super) fn log(&self) -> Option<usize> {
        self.reader.map(|reader| reader.log)
    }

    /// Where it sits among the readers of which log.
    pub(super) fn seat(&self) -> Option<(usize, usize)> {
        self.reader.map(|reader| (reader.log, reader.slot))
    }

    pub(super) const fn sit(&mut self, slot: usize) {
        if let Some(reader) = &mut self.reader {
            reader.slot = slot;
        }
    }

    /// Its position; a connection that is no reader is never behind.
    pub(super) fn cursor(&self) -> u64 {
        self.reader.map_or(u64::MAX, |reader| reader.cursor)
    }
}
