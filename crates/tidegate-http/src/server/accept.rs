//! The accept loop.
//!
//! Owns: taking sockets, socket options, the TLS handshake's time limit.
//! Must not: die of an accept error; a node out of files comes back when some are closed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;

use super::caps::{Slot, SocketCaps};
use super::connection::{Client, ConnectionSettings, http1, http1_plain, http2};
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
}

const BACKOFF_FIRST: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

impl Acceptor {
    /// Accepts until the shutdown token is cancelled; the listener is closed then.
    pub(super) async fn run(self, listener: TcpListener) {
        self.widen(&listener);
        let mut backoff = BACKOFF_FIRST;
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.settings.shutdown.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, address)) => {
                    backoff = BACKOFF_FIRST;
                    self.take(socket, address);
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
        let backlog = i32::try_from(self.state.limits().accept_backlog).unwrap_or(i32::MAX);
        if let Err(error) = SockRef::from(listener).listen(backlog) {
            tracing::warn!(error.message = %error, "few connections may wait to be accepted");
        }
    }

    fn take(&self, socket: TcpStream, address: SocketAddr) {
        let is_proxy = self.state.config().trusts(address.ip().to_canonical());
        // Over a cap the socket is closed at once: an answer would cost what the cap protects.
        let Ok(slot) = self.caps.admit(address.ip(), is_proxy) else { return };
        if let Err(error) = self.settings.prepare(&SockRef::from(&socket), &socket) {
            tracing::debug!(error.message = %error, "socket gone before its first byte");
            return;
        }
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

    fn clone_for_tls(
        &self,
        tls: &Arc<Tls>,
        socket: TcpStream,
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

fn speaks_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
