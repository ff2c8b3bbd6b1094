//! The credential of a stream route: a principal, or a ticket that the gate still has to open.
//!
//! Owns: which of the two counts, and the same-origin rule for cookie streams.
//! Must not: spend a ticket; caps and grants are looked at first.

use axum::extract::FromRequestParts;
use http::request::Parts;
use secrecy::SecretString;
use tidegate_gate::Principal;

use super::caller::authenticate;
use super::present::{FEED_COOKIE, Presented, cookie};
use super::same_origin;
use crate::AppState;
use crate::edge::RequestInfo;
use crate::problem::Problem;

/// What opens a stream.
#[derive(Clone, Debug)]
pub(crate) enum StreamCredential {
    /// A header or cookie that the gate accepted, or nobody.
    Principal(Principal),
    /// A ticket from the header or the URL.
    Ticket(SecretString),
    /// The feed's own cookie: a ticket at first, then its lease's handle. Only the feed takes it.
    FeedCookie(SecretString),
}

impl FromRequestParts<AppState> for StreamCredential {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Self::of(state, parts, parts.extensions.get()).await
    }
}

impl StreamCredential {
    /// Reads it. `info`: what is known of the request.
    pub(crate) async fn of(
        state: &AppState,
        parts: &Parts,
        info: Option<&RequestInfo>,
    ) -> Result<Self, Problem> {
        let presented = Presented::of(state.config(), parts)?;
        let feed =
            cookie(&parts.headers, FEED_COOKIE).filter(|_| parts.uri.path().starts_with("/api/v1/events"));
        match (presented, feed) {
            (Presented::Ticket(text), _) => Ok(Self::Ticket(text.into_owned().into())),
            (Presented::Nothing | Presented::SessionCookie(_), Some(value)) => {
                let value: SecretString = value.to_owned().into();
                // A forged GET would take a connection's slot and could be probed, so streams ask too.
                same_origin::check(state.config(), parts, info)?;
                Ok(Self::FeedCookie(value))
            }
            (Presented::Nothing, None) => Ok(Self::Principal(Principal::Anonymous)),
            (presented, _) => {
                Ok(Self::Principal(Box::pin(authenticate(state, parts, info, presented, true)).await?))
            }
        }
    }
}
