//! The poller of one shard's sockets, which the runtime's poller watches as one.
//!
//! Owns: that a socket at rest is known to the kernel alone: no record of the runtime's, and no waker.
//! Must not: wait. It is asked when the runtime's poller says that something is there, for a bounded
//! number of events; what it tells once it does not tell again.

use std::io::{self, ErrorKind};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use mio::event::{Event, Source};
use mio::{Events, Interest, Poll as Poller, Token};
use tokio::io::unix::AsyncFd;

use crate::server::watched;

/// Events taken at once.
const AT_ONCE: usize = 256;

/// What the kernel says about a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Bytes may be there, or the other end hung up.
    pub(super) readable: bool,
    /// It may take bytes again.
    pub(super) writable: bool,
    /// The other end hung up; nothing more comes behind what is there.
    pub(super) hung_up: bool,
}

pub(super) struct Sockets {
    poller: AsyncFd<Poller>,
    events: Events,
}

impl Sockets {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { poller: watched(Poller::new()?)?, events: Events::with_capacity(AT_ONCE) })
    }

    /// Watches a socket for what its client sends, hanging up included.
    pub(super) fn watch(&self, socket: &mut impl Source, key: u32) -> io::Result<()> {
        self.poller.get_ref().registry().register(socket, token(key), Interest::READABLE)
    }

    /// From here on also tells when a socket that took no more takes bytes again.
    pub(super) fn watch_writes(&self, socket: &mut impl Source, key: u32) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poller.get_ref().registry().reregister(socket, token(key), both)
    }

    /// Lets a socket go that lives on.
    pub(super) fn leave(&self, socket: &mut impl Source) -> io::Result<()> {
        self.poller.get_ref().registry().deregister(socket)
    }

    /// Ready when there is something to take.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.events.is_empty() {
            // An error means that the runtime ends, and this task with it.
            let Ok(mut ready) = ready!(self.poller.poll_read_ready_mut(context)) else {
                return Poll::Pending;
            };
            match ready.get_inner_mut().poll(&mut self.events, Some(Duration::ZERO)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => tracing::error!(error.message = %error, "can't ask for a shard's sockets"),
                Ok(()) => {}
            }
            if self.events.iter().count() < AT_ONCE {
                ready.clear_ready();
            }
        }
        Poll::Ready(())
    }

    /// Tells what was said since the last time, and of whom.
    pub(super) fn drain(&mut self, mut tell: impl FnMut(u32, Heard)) {
        for event in &self.events {
            tell(u32::try_from(event.token().0).unwrap_or(u32::MAX), Heard::from(event));
        }
        self.events.clear();
    }
}

fn token(key: u32) -> Token {
    Token(key as usize)
}

impl From<&Event> for Heard {
    fn from(event: &Event) -> Self {
        let over = event.is_error();
        Self {
            readable: over || event.is_readable() || event.is_read_closed(),
            writable: over || event.is_writable() || event.is_write_closed(),
            hung_up: event.is_read_closed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use crate::server::Bare;

    fn pairs(count: usize) -> Vec<(Bare, TcpStream)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let pair = |_| {
            let theirs = TcpStream::connect(address).unwrap();
            let (ours, _) = listener.accept().unwrap();
            ours.set_nonblocking(true).unwrap();
            (Bare::from_std(ours), theirs)
        };
        (0..count).map(pair).collect()
    }

    async fn told(sockets: &mut Sockets, enough: impl Fn(&[(u32, Heard)]) -> bool) -> Vec<(u32, Heard)> {
        let mut all = Vec::new();
        while !enough(&all) {
            poll_fn(|context| sockets.poll(context)).await;
            sockets.drain(|key, heard| all.push((key, heard)));
        }
        all
    }

    #[tokio::test]
    async fn bytes_and_hanging_up_are_told_of_whom_they_are() {
        let mut sockets = Sockets::new().unwrap();
        let mut pairs = pairs(2);
        for (at, (ours, _)) in pairs.iter_mut().enumerate() {
            sockets.watch(ours, at as u32).unwrap();
        }
        pairs[1].1.write_all(b"x").unwrap();
        let heard = told(&mut sockets, |all| !all.is_empty()).await;
        assert_eq!(heard, [(1, Heard { readable: true, ..Heard::default() })]);
        let (mut ours, theirs) = pairs.remove(0);
        drop(theirs);
        let heard = told(&mut sockets, |all| !all.is_empty()).await;
        assert!(heard.iter().all(|(key, heard)| *key == 0 && heard.hung_up));
        assert_eq!(ours.read(&mut [0]).unwrap(), 0);
        sockets.leave(&mut pairs[0].0).unwrap();
        pairs[0].1.write_all(b"y").unwrap();
        drop(ours);
        let silence = std::time::Duration::from_millis(20);
        let more = told(&mut sockets, |all| !all.is_empty());
        assert!(tokio::time::timeout(silence, more).await.is_err(), "it has left");
    }

    #[tokio::test]
    async fn more_than_fit_at_once_are_all_told() {
        let mut sockets = Sockets::new().unwrap();
        let mut pairs = pairs(AT_ONCE + 10);
        for (at, (ours, theirs)) in pairs.iter_mut().enumerate() {
            theirs.write_all(b"x").unwrap();
            sockets.watch(ours, at as u32).unwrap();
        }
        let mut keys: Vec<_> =
            told(&mut sockets, |all| all.len() >= AT_ONCE + 10).await.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        assert_eq!(keys, (0..keys.len() as u32).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn room_is_told_once_somebody_asked() {
        let mut sockets = Sockets::new().unwrap();
        let (mut ours, mut theirs) = pairs(1).remove(0);
        sockets.watch(&mut ours, 7).unwrap();
        let chunk = [0; 65_536];
        let mut filled = 0;
        while let Ok(written) = ours.write(&chunk) {
            filled += written;
        }
        sockets.watch_writes(&mut ours, 7).unwrap();
        theirs.read_exact(&mut vec![0; filled]).unwrap();
        let heard = told(&mut sockets, |all| all.iter().any(|(_, heard)| heard.writable)).await;
        assert!(heard.iter().all(|(key, _)| *key == 7));
        assert!(ours.write(b"x").is_ok());
    }
}
