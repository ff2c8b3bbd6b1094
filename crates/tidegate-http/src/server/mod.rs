//! Sockets: accepting, TLS, HTTP/1.1 and HTTP/2, caps, timeouts, drain.
//!
//! Owns: the life of a connection until its requests reach the router.
//! Must not: know any route. Plain live streams leave with their socket once the head of their
//! answer is written (`crate::shards`), and the socket comes back when they end.

mod accept;
mod caps;
mod connection;
mod date;
mod depart;
mod direct;
mod io;
mod progress;
mod socket;
mod spare;
mod tls;

use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

pub(crate) use caps::Slot;
pub(crate) use progress::{SocketProgress, TailMode};
pub(crate) use socket::{Bare, watched};

use crate::edge::{Entry, PeerAddress};
use crate::router;
use crate::shards::{Homed, Shards, TakeBack};
use crate::state::{AppState, HttpParts};
use accept::Acceptor;
use caps::SocketCaps;
use connection::{Client, ConnectionSettings, http1_plain};
use socket::Socket;
use tls::Tls;

/// Serves until `shutdown` is cancelled, and for `limits.drain_notice_ms` more with `/readyz` saying
/// no; then drains: no new sockets, live streams end with a reason, requests under way finish, and
/// what is left after `limits.drain_ms` is cut.
///
/// # Errors
/// The certificate can't be read, or the listener has no address.
pub async fn serve(listener: TcpListener, parts: HttpParts, shutdown: CancellationToken) -> Result<()> {
    let loopback = listener.local_addr()?.ip().is_loopback();
    let tls = parts.config.tls.as_ref().map(Tls::load).transpose()?.map(Arc::new);
    let whole = Duration::from_millis(parts.limits.drain_ms);
    let notice = Duration::from_millis(parts.limits.drain_notice_ms).min(whole / 2);
    let drain = whole.saturating_sub(notice);
    let (asked, shutdown) = (shutdown, CancellationToken::new());
    let state = AppState::new(parts, loopback, asked.clone(), shutdown.clone());
    let tracker = TaskTracker::new();
    let cut = CancellationToken::new();
    if let Some(tls) = tls.clone() {
        tracker.spawn(tls.watch(shutdown.clone()));
    }
    let settings = Arc::new(ConnectionSettings::of(state.limits(), shutdown.clone(), cut.clone()));
    let entry = router::service(&state);
    let shards = state.config().detach.then(|| {
        let home = Home { entry: entry.clone(), settings: Arc::clone(&settings), tracker: tracker.clone() };
        Shards::start(&state, |shards| home.clone().take_back(shards.clone()))
    });
    let shards = shards.transpose()?;
    let acceptor = Acceptor {
        caps: SocketCaps::new(state.limits(), state.metrics().clone()),
        entry,
        settings,
        state: state.clone(),
        tls,
        tracker: tracker.clone(),
        shards: shards.clone(),
        inherits: false,
    };
    let noticed = async {
        asked.cancelled().await;
        // Whoever probes readiness gets to know before connections are refused.
        tokio::time::sleep(notice).await;
        shutdown.cancel();
    };
    // A task: whoever waits for this server may do so on a thread of its own, which the sockets would have to pass.
    let accepting = AbortOnDropHandle::new(tokio::spawn(acceptor.run(listener)));
    let (accepted, ()) = tokio::join!(accepting, noticed);
    accepted.unwrap_or_else(|failed| Err(failed.into()))?;
    state.gate().drain();
    tracker.close();
    let drained = async {
        tracker.wait().await;
        // Only connections make guests, so from here on there come no more.
        if let Some(shards) = &shards {
            shards.empty().await;
        }
    };
    tokio::pin!(drained);
    if tokio::time::timeout(drain, &mut drained).await.is_err() {
        tracing::warn!(connections = tracker.len(), "drain took too long, cutting what is left");
        cut.cancel();
        if let Some(shards) = &shards {
            shards.cut();
        }
        drained.await;
    }
    Ok(())
}

/// Where a socket comes back to whose live stream has ended.
#[derive(Clone)]
struct Home {
    entry: Entry,
    settings: Arc<ConnectionSettings>,
    tracker: TaskTracker,
}

impl Home {
    fn take_back(self, shards: Shards) -> TakeBack {
        Arc::new(move |Homed { socket, read, slot }| {
            // Who has no address any more has hung up.
            let Ok(address) = socket.peer_addr() else { return };
            let client = Client {
                peer: PeerAddress { address, tls: false },
                entry: self.entry.clone(),
                settings: Arc::clone(&self.settings),
                shards: Some(shards.clone()),
            };
            self.tracker.spawn(http1_plain(Socket::Bare(socket), Some(read), client, slot));
        })
    }
}
