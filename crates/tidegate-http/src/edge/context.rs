//! What is known of a request before any handler sees it.
//!
//! Owns: the request id (accepted or made) and the facts of the connection.
//! Must not: hold a credential.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use http::{HeaderMap, HeaderName, Uri, header};
use tidegate_types::{RequestId, StreamPath};

use super::address::{client_address, forwarded_https};
use crate::server::SocketProgress;
use crate::streams;
use crate::{AppState, HttpConfig};

/// `X-Request-Id`.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The other end of the socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerAddress {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
}

/// The connection that a request came by.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) peer: PeerAddress,
    /// The state of its socket.
    pub(crate) socket: SocketProgress,
}

/// Facts of one request; in its extensions where extractors look for them.
#[derive(Clone, Debug)]
pub(crate) struct RequestInfo {
    pub(crate) request_id: RequestId,
    /// The client's address, seen through trusted proxies.
    pub(crate) address: IpAddr,
    /// Whether the client came by https, seen through trusted proxies.
    pub(crate) https: bool,
    /// The stream that the URL names, if it is a path of one.
    pub(crate) stream: Option<StreamPath>,
}

impl Default for Arrival {
    /// Of a request that came by no socket.
    fn default() -> Self {
        let peer = PeerAddress { address: (Ipv4Addr::LOCALHOST, 0).into(), tls: false };
        Self { peer, socket: SocketProgress::default() }
    }
}

impl RequestInfo {
    pub(super) fn of(state: &AppState, peer: PeerAddress, request: &Request) -> Self {
        let address = client_address(state.config(), peer.address.ip(), request.headers());
        let https = peer.tls || forwarded_https(state.config(), peer.address.ip(), request.headers());
        let stream = streams::named_by(request.uri());
        Self { request_id: request_id(state, request), address, https, stream }
    }
}

/// Where a client reaches this server: `https://host`, without a last slash.
pub(crate) fn origin_of(config: &HttpConfig, host: Option<&str>, https: bool) -> String {
    if let Some(origin) = config.public_url.as_deref() {
        return origin.trim_end_matches('/').to_owned();
    }
    let scheme = if https { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

/// The host that the client named, checked by the host policy.
pub(crate) fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let authority = uri.authority().map(|authority| authority.as_str());
    authority.or_else(|| headers.get(header::HOST).and_then(|value| value.to_str().ok()))
}

fn request_id(state: &AppState, request: &Request) -> RequestId {
    let given = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| RequestId::generate(state.clock().now(), state.entropy()))
}

tokio::task_local! {
    static REQUEST_ID: Option<RequestId>;
}

/// Runs one request's work so that its problems can name it.
pub(super) async fn with_request_id<F: Future>(id: RequestId, work: F) -> F::Output {
    REQUEST_ID.scope(Some(id), work).await
}

/// Carries the request's id over to a task of its own.
pub(crate) fn in_same_request<F: Future>(work: F) -> impl Future<Output = F::Output> {
    REQUEST_ID.scope(REQUEST_ID.try_with(|id| *id).unwrap_or_default(), work)
}

/// The id of the request that this task answers; empty outside of one.
pub(crate) fn current_request_id() -> String {
    let id = REQUEST_ID.try_with(|id| *id).unwrap_or_default();
    id.map(|id| id.as_str().to_owned()).unwrap_or_default()
}
