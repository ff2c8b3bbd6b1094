//! What happens to every request before and after its handler.
//!
//! Owns: request ids, hosts, client addresses, credentials in URLs, CORS, body bounds, security
//! headers, panics, the access log.
//! Must not: know any route's meaning; an area never adds middleware of its own.

mod address;
mod body;
mod context;
mod cors;
mod guard;
mod headers;
mod host;
mod observe;
mod url_credential;

pub(crate) use body::{BodyError, BoundBody};
pub(crate) use context::{
    Arrival, PeerAddress, RequestInfo, current_request_id, host_of, in_same_request, origin_of,
};
pub(crate) use guard::{Entry, is_append, is_opening, layer};
pub(crate) use host::HostPolicy;
pub(crate) use url_credential::is_ticket_name;
