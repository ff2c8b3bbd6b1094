//! Sockets: accepting, TLS, HTTP/1.1 and HTTP/2, caps, timeouts, drain.
//!
//! Owns: the life of a connection until its requests reach the router.
//! Must not: know any route. It sees bodies only as bytes, so that a later engine may take a
//! live stream's socket over.

mod accept;
mod caps;
mod connection;
mod direct;
mod io;
mod progress;
mod tls;

use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use progress::{SocketProgress, TailMode};

use crate::router;
use crate::state::{AppState, HttpParts};
use accept::Acceptor;
use caps::SocketCaps;
use connection::ConnectionSettings;
use tls::Tls;

/// Serves until `shutdown` is cancelled, then drains: no new sockets, live streams end with a
/// reason, requests under way finish, and what is left after `limits.drain_ms` is cut.
///
/// # Errors
/// The certificate can't be read, or the listener has no address.
pub async fn serve(listener: TcpListener, parts: HttpParts, shutdown: CancellationToken) -> Result<()> {
    let loopback = listener.local_addr()?.ip().is_loopback();
    let tls = parts.config.tls.as_ref().map(Tls::load).transpose()?.map(Arc::new);
    let drain = Duration::from_millis(parts.limits.drain_ms);
    let state = AppState::new(parts, loopback, shutdown.clone());
    let tracker = TaskTracker::new();
    let cut = CancellationToken::new();
    if let Some(tls) = tls.clone() {
        tracker.spawn(tls.watch(shutdown.clone()));
    }
    let acceptor = Acceptor {
        caps: SocketCaps::new(state.limits(), state.metrics().clone()),
        entry: router::service(&state),
        settings: Arc::new(ConnectionSettings::of(state.limits(), shutdown, cut.clone())),
        state: state.clone(),
        tls,
        tracker: tracker.clone(),
    };
    acceptor.run(listener).await;
    state.gate().drain();
    tracker.close();
    if tokio::time::timeout(drain, tracker.wait()).await.is_err() {
        tracing::warn!(connections = tracker.len(), "drain took too long, cutting what is left");
        cut.cancel();
        tracker.wait().await;
    }
    Ok(())
}
