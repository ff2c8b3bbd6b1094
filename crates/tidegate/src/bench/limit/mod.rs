//! The bare loop: one thread, one poll, sockets, and bytes that were built once.
//!
//! Owns: what the kernel alone asks for the loads of the bench, to hold the servers against.
//! Must not: be a server that anybody uses. There is no durability, no access rule, no limit and
//! no time-out here, and HTTP goes no further than the bench's own client needs it.
//!
//! `POST /pub/{name}` appends; `GET /sub/{name}` and `GET /all/{name}` are server-sent events
//! from now on and from the start.

mod connection;
mod log;
mod request;

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::Context as _;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use connection::{Cause, Connection, Read, Written};
use log::Log;
use request::Request;

const LISTENER: Token = Token(usize::MAX);
const EVENTS: usize = 4_096;
const SCRATCH_BYTES: usize = 64 << 10;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Serves until the process is killed.
///
/// # Errors
/// The address is taken, or the system refuses to poll.
pub(super) fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let mut server = Server::bind(address)?;
    let mut events = Events::with_capacity(EVENTS);
    let mut scratch = vec![0; SCRATCH_BYTES];
    loop {
        if let Err(error) = server.poll.poll(&mut events, None) {
            anyhow::ensure!(error.kind() == std::io::ErrorKind::Interrupted, error);
            continue;
        }
        for event in &events {
            match event.token() {
                LISTENER => server.accept()?,
                Token(place) => {
                    if event.is_writable() {
                        server.write(place, Cause::SocketTakesMore);
                    }
                    if event.is_readable() {
                        server.read(place, &mut scratch, event.is_read_closed());
                    }
                }
            }
        }
        server.fan_out();
    }
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    names: HashMap<String, usize>,
    logs: Vec<Log>,
    /// Logs that grew in this round.
    grown: Vec<usize>,
}

impl Server {
    fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let poll = Poll::new().context("this system does not poll")?;
        let mut listener = TcpListener::bind(address).context("could not listen")?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            connections: Vec::new(),
            free: Vec::new(),
            names: HashMap::new(),
            logs: Vec::new(),
            grown: Vec::new(),
        })
    }

    fn accept(&mut self) -> anyhow::Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("could not accept"),
            };
            socket.set_nodelay(true)?;
            let place = self.free.pop().unwrap_or(self.connections.len());
            self.poll.registry().register(&mut socket, Token(place), Interest::READABLE)?;
            let connection = Some(Connection::new(socket));
            match self.connections.get_mut(place) {
                Some(empty) => *empty = connection,
                None => self.connections.push(connection),
            }
        }
    }

    /// Reads once; to the end only when the other side is gone, since a new poll tells of more.
    fn read(&mut self, place: usize, scratch: &mut [u8], to_the_end: bool) {
        loop {
            let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else { return };
            let (read, count) = connection.read(scratch);
            match read {
                Read::Nothing => return,
                Read::Closed => return self.close(place),
                Read::Part => {}
                Read::Whole(request) => {
                    if !self.answer(place, request) {
                        return self.close(place);
                    }
                }
            }
            if count < scratch.len() && !to_the_end {
                return;
            }
        }
    }

    fn answer(&mut self, place: usize, request: Request) -> bool {
        let log = self.log(request.name());
        let (Some(state), Some(connection)) =
            (self.logs.get_mut(log), self.connections.get_mut(place).and_then(Option::as_mut))
        else {
            return false;
        };
        match request {
            Request::Append { record, .. } => {
                // The answer goes out before the round, as everything that came in one round
                // goes out together.
                state.append(&record);
                self.grown.push(log);
                connection.answer(ANSWER)
            }
            Request::Subscribe { from, .. } => {
                let cursor = state.position(from);
                let slot = state.enter(place);
                connection.subscribe(log, slot, cursor) && {
                    self.write(place, Cause::LogGrew);
                    true
                }
            }
        }
    }

    fn log(&mut self, name: &str) -> usize {
        if let Some(log) = self.names.get(name) {
            return *log;
        }
        self.logs.push(Log::default());
        self.names.insert(name.to_owned(), self.logs.len() - 1);
        self.logs.len() - 1
    }

    /// One write for each reader of each log that grew.
    fn fan_out(&mut self) {
        let mut grown = std::mem::take(&mut self.grown);
        grown.sort_unstable();
        grown.dedup();
        for log in grown.drain(..) {
            let mut slot = 0;
            while let Some(place) = self.logs.get(log).and_then(|log| log.reader(slot)) {
                self.write(place, Cause::LogGrew);
                // A reader that is gone left its slot to the last one.
                let stayed = self.logs.get(log).and_then(|log| log.reader(slot)) == Some(place);
                slot += usize::from(stayed);
            }
            if let Some(log) = self.logs.get_mut(log) {
                log.trim(&self.connections);
            }
        }
        self.grown = grown;
    }

    fn write(&mut self, place: usize, cause: Cause) {
        let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else { return };
        let Some(log) = connection.log().and_then(|log| self.logs.get(log)) else { return };
        let written = connection.write(log, cause);
        let interest = match written {
            Written::AsBefore => return,
            Written::Closed => return self.close(place),
            Written::Blocked => Interest::READABLE | Interest::WRITABLE,
            Written::Free => Interest::READABLE,
        };
        if self.poll.registry().reregister(connection.socket(), Token(place), interest).is_err() {
            self.close(place);
        }
    }

    fn close(&mut self, place: usize) {
        let Some(connection) = self.connections.get_mut(place).and_then(Option::take) else { return };
        self.free.push(place);
        let Some((log, slot)) = connection.seat() else { return };
        let Some(moved) = self.logs.get_mut(log).and_then(|log| log.leave(slot)) else { return };
        if let Some(moved) = self.connections.get_mut(moved).and_then(Option::as_mut) {
            moved.sit(slot);
        }
    }
}
