//! What is known of the client behind a request, as the edge found it.

use std::net::{IpAddr, Ipv4Addr};

/// Where a browser says that a request comes from (`Sec-Fetch-Site`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchSite {
    /// A page of the same origin.
    SameOrigin,
    /// A page of the same registrable domain.
    SameSite,
    /// Any other page.
    CrossSite,
    /// No page: the address bar, a bookmark.
    None,
}

/// The circumstances of a request. Never holds a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFacts {
    /// The client's address, behind trusted proxies the one that they name.
    pub address: IpAddr,
    /// `User-Agent`, cut by the edge.
    pub user_agent: Option<String>,
    /// `Origin`, as it was sent.
    pub origin: Option<String>,
    /// `Sec-Fetch-Site`, if it was sent.
    pub fetch_site: Option<FetchSite>,
    /// The id of the request.
    pub request_id: String,
}

impl ClientFacts {
    /// The circumstances of a call that came over no network: the command line's.
    #[must_use]
    pub fn local() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user_agent: None,
            origin: None,
            fetch_site: None,
            request_id: String::new(),
        }
    }
}
