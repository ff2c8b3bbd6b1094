//! What is known of a request before any handler sees it.
//!
//! Owns: the request id (accepted or made) and the facts of the connection.
//! Must not: hold a credential.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use http::{HeaderName, header};
use tidegate_types::RequestId;

use super::address::{client_address, forwarded_https};
use crate::{AppState, HttpConfig};

/// `X-Request-Id`.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The other end of the socket; put into each request by the accept loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerAddress {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
}

/// Facts of one request; in its extensions.
#[derive(Clone, Debug)]
pub(crate) struct RequestInfo {
    pub(crate) request_id: Arc<str>,
    /// The client's address, seen through trusted proxies.
    pub(crate) address: IpAddr,
    /// Whether the client came by https, seen through trusted proxies.
    pub(crate) https: bool,
    /// The host that the client named, checked by the host policy.
    pub(crate) host: Option<Arc<str>>,
}

impl RequestInfo {
    pub(super) fn of(state: &AppState, request: &Request) -> Self {
        let peer = request.extensions().get::<PeerAddress>().copied();
        let peer = peer.unwrap_or(PeerAddress { address: (Ipv4Addr::LOCALHOST, 0).into(), tls: false });
        let address = client_address(state.config(), peer.address.ip(), request.headers());
        let https = peer.tls || forwarded_https(state.config(), peer.address.ip(), request.headers());
        let host = request
            .uri()
            .authority()
            .map(|a| a.as_str())
            .or_else(|| request.headers().get(header::HOST).and_then(|value| value.to_str().ok()));
        Self { request_id: request_id(state, request), address, https, host: host.map(Arc::from) }
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

fn request_id(state: &AppState, request: &Request) -> Arc<str> {
    let given = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    match given.and_then(|text| text.parse::<RequestId>().ok()) {
        Some(id) => Arc::from(id.as_str()),
        None => Arc::from(RequestId::generate(state.clock().now(), state.entropy()).as_str()),
    }
}

tokio::task_local! {
    static REQUEST_ID: Arc<str>;
}

/// Runs one request's work so that its problems can name it.
pub(super) async fn with_request_id<F: Future>(id: Arc<str>, work: F) -> F::Output {
    REQUEST_ID.scope(id, work).await
}

/// Carries the request's id over to a task of its own.
pub(crate) fn in_same_request<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let id = REQUEST_ID.try_with(Arc::clone).unwrap_or_default();
    REQUEST_ID.scope(id, work)
}

/// The id of the request that this task answers; empty outside of one.
pub(crate) fn current_request_id() -> String {
    REQUEST_ID.try_with(|id| id.to_string()).unwrap_or_default()
}
