//! What the gate is told of the client behind a request.
//!
//! Owns: how headers become [`ClientFacts`].
//! Must not: judge them.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::{ORIGIN, USER_AGENT};
use http::request::Parts;
use tidegate_gate::{ClientFacts, FetchSite};

use crate::AppState;
use crate::edge::RequestInfo;
use crate::problem::Problem;

/// The facts of this request.
#[derive(Clone, Debug)]
pub(crate) struct Facts(pub(crate) ClientFacts);

const USER_AGENT_CHARS_MAX: usize = 200;

impl Facts {
    pub(crate) fn of(info: Option<&RequestInfo>, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let user_agent = text(USER_AGENT).map(|agent| agent.chars().take(USER_AGENT_CHARS_MAX).collect());
        Self(ClientFacts {
            address: info.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.address),
            user_agent,
            origin: text(ORIGIN).map(str::to_owned),
            fetch_site: fetch_site(headers),
            request_id: info.map(|info| info.request_id.as_str().to_owned()).unwrap_or_default(),
        })
    }

    pub(crate) fn of_parts(parts: &Parts) -> Self {
        Self::of(parts.extensions.get::<RequestInfo>(), &parts.headers)
    }
}

impl FromRequestParts<AppState> for Facts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        Ok(Self::of_parts(parts))
    }
}

pub(super) fn fetch_site(headers: &HeaderMap) -> Option<FetchSite> {
    match headers.get("sec-fetch-site")?.as_bytes() {
        b"same-origin" => Some(FetchSite::SameOrigin),
        b"same-site" => Some(FetchSite::SameSite),
        b"none" => Some(FetchSite::None),
        // An unknown word is a browser that we do not know: the strictest reading.
        _ => Some(FetchSite::CrossSite),
    }
}
