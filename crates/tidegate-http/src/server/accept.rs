//! The accept loop.
//!
//! Owns: taking sockets, socket options, the TLS handshake's time limit.
//! Must not: die of an accept error; a node out of files comes back when some are closed.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpListener as BareListener;
use socket2::SockRef;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpListener;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;

use super::caps::{Slot, SocketCaps};
use super::connection::{Client, ConnectionSettings, http1, http1_plain, http2};
use super::socket::{Bare, Socket, watched};
use super::tls::Tls;
use crate::AppState;
use crate::edge::{Entry, PeerAddress};
use crate::ops::Refusal;
use crate::shards::Shards;

/// Everything that the loop needs.
pub(super) struct Acceptor {
    pub(super) caps: SocketCaps,
    pub(super) entry: Entry,
    pub(super) settings: Arc<ConnectionSettings>,
    pub(super) state: AppState,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) tracker: TaskTracker,
    pub(super) shards: Option<Shards>,
    /// Sockets have their listener's options from the start, as on Linux; seen once, which those are not
    /// that came before the listener had them.
    pub(super) inherits: bool,
}

const BACKOFF_FIRST: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// After so many sockets others get their turn.
const AT_ONCE: u32 = 32;

impl Acceptor {
    /// Accepts until the shutdown token is cancelled; the listener is closed then.
    ///
    /// # Errors
    /// The runtime's poller does not take the listener.
    pub(super) async fn run(mut self, listener: TcpListener) -> io::Result<()> {
        self.widen(&listener);
        // Not tokio's, which would have its poller watch every socket from the first moment.
        let listener = watched(BareListener::from_std(listener.into_std()?))?;
        let shutdown = self.settings.shutdown.clone();
        let mut stopped = pin!(shutdown.cancelled());
        let (mut backoff, mut taken) = (BACKOFF_FIRST, 0);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stopped => return Ok(()),
                accepted = accept(&listener) => accepted,
            };
            match accepted {
                Ok((socket, address)) => {
                    backoff = BACKOFF_FIRST;
                    self.take(socket, address);
                    taken = (taken + 1) % AT_ONCE;
                    if taken == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                // The client was gone before we looked: nothing of ours is wrong.
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    tracing::error!(error.message = %error, "can't accept, waiting");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                }
            }
        }
    }

    /// Lets more connections wait than the 128 of the standard library. When thousands come back at once, the
    /// system drops those that find no room, and they try again a second later.
    fn widen(&self, listener: &TcpListener) {
        if let Err(error) = self.settings.prepare(&SockRef::from(listener)) {
            tracing::debug!(error.message = %error, "a listener without the options of its sockets");
        }
        let backlog = i32::try_from(self.state.limits().accept_backlog).unwrap_or(i32::MAX);
        if let Err(error) = SockRef::from(listener).listen(backlog) {
            tracing::warn!(error.message = %error, "few connections may wait to be accepted");
        }
    }

    fn take(&mut self, socket: Bare, address: SocketAddr) {
        let is_proxy = self.state.config().trusts(address.ip().to_canonical());
        // Over a cap the socket is closed at once: an answer would cost what the cap protects.
        let Ok(slot) = self.caps.admit(address.ip(), is_proxy) else { return };
        if let Err(error) = self.prepare(&SockRef::from(&socket)) {
            tracing::debug!(error.message = %error, "socket gone before its first byte");
            return;
        }
        let socket = Socket::New(socket);
        let peer = PeerAddress { address, tls: self.tls.is_some() };
        let client = Client {
            peer,
            entry: self.entry.clone(),
            settings: Arc::clone(&self.settings),
            shards: self.shards.clone(),
        };
        match &self.tls {
            None => drop(self.tracker.spawn(http1_plain(socket, None, client, slot))),
            Some(tls) => drop(self.tracker.spawn(self.clone_for_tls(tls, socket, client, slot))),
        }
    }

    fn prepare(&mut self, socket: &SockRef<'_>) -> io::Result<()> {
        self.inherits = self.inherits || self.settings.is_prepared(socket)?;
        if self.inherits { Ok(()) } else { self.settings.prepare(socket) }
    }

    fn clone_for_tls(
        &self,
        tls: &Arc<Tls>,
        socket: Socket,
        client: Client,
        slot: Slot,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (tls, metrics) = (Arc::clone(tls), self.state.metrics().clone());
        async move {
            let handshake = tls.acceptor().accept(socket);
            let limit = client.settings.header_timeout;
            let Ok(Ok(stream)) = tokio::time::timeout(limit, handshake).await else {
                metrics.socket_refused(Refusal::Handshake);
                return;
            };
            if speaks_http2(&stream) {
                http2(stream, client).await;
            } else {
                http1(stream, None, client, None).await;
            }
            drop(slot);
        }
    }
}

fn speaks_http2(stream: &TlsStream<Socket>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

async fn accept(listener: &AsyncFd<BareListener>) -> io::Result<(Bare, SocketAddr)> {
    loop {
        let mut ready = listener.readable().await?;
        if let Ok(accepted) = ready.try_io(|listener| listener.get_ref().accept()) {
            return accepted;
        }
    }
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
