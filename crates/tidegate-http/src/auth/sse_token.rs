//! A ticket for the caller's feed, in the body and as a cookie.

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::header::SET_COOKIE;
use serde::Serialize;
use tidegate_events::Events;
use tidegate_gate::{Principal, StreamKind};
use tidegate_types::Timestamp;

use crate::AppState;
use crate::credential::{Facts, SignedIn};
use crate::problem::{Problem, ProblemBody};
use crate::tickets::{feed_cookie, mint};

/// The path of every user's own feed.
const FEED_URL: &str = "/api/v1/events/stream";

/// A ticket for the feed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FeedTicket)]
pub(super) struct FeedTicketBody {
    success: bool,
    /// The ticket: opens the feed once.
    sse_token: String,
    /// Seconds until it can't be spent any more.
    expires_in: u64,
    /// When it was issued, since it may be used once only: a cache that keeps it until then keeps
    /// it for no time.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The feed.
    stream_url: &'static str,
}

/// Mints a ticket for the caller's feed: for the query (`?sse_token=`), and as an HttpOnly cookie
/// that `EventSource` sends by itself.
#[utoipa::path(
    post, path = "/api/v1/auth/sse-token", tag = "accounts",
    responses(
        (status = 200, body = FeedTicketBody, description = "the ticket, and the cookie `sse_token`"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, body = ProblemBody, content_type = "application/problem+json", description = "`rate-limited`"),
    )
)]
pub(super) async fn mint_sse_token(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    Facts(facts): Facts,
) -> Result<impl IntoResponse, Problem> {
    let path = Events::feed_path(user.user_id);
    let ensured = state.events().ensure_feed(user.user_id).await;
    ensured.map_err(|error| Problem::of_domain(&error, error.code()))?;
    let ticket = mint(&state, &Principal::User(user), &path, StreamKind::Feed, &facts).await?;
    let body = FeedTicketBody {
        success: true,
        sse_token: ticket.secret.reveal().to_owned(),
        expires_in: ticket.expires_in,
        expires_at: ticket.issued_at,
        stream_url: FEED_URL,
    };
    Ok((AppendHeaders([(SET_COOKIE, feed_cookie(&state, &ticket.secret))]), Json(body)))
}
