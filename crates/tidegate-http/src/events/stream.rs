//! `GET /api/v1/events/stream`: the caller's feed, live.

use axum::extract::State;
use axum::response::Response;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tidegate_types::StreamPath;
use utoipa::IntoParams;

use super::feed::{feed_of, types};
use crate::AppState;
use crate::credential::StreamCredential;
use crate::extract::Query;
use crate::problem::Problem;
use crate::tail::{TailArgs, TailRequest, respond};
use crate::wire::{Mistaken, Refused, StreamParams};

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TypesQuery {
    /// Only these types, e.g. `task.*,novel.created`.
    types: Option<String>,
}

/// Streams the caller's feed.
#[utoipa::path(
    get, path = "/api/v1/events/stream", tag = "events", operation_id = "streamEvents", params(TypesQuery, StreamParams),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        Refused, Mistaken,
    )
)]
pub(crate) async fn stream(
    State(state): State<AppState>,
    Query(query): Query<TypesQuery>,
    args: TailArgs,
) -> Result<Response, Problem> {
    let filter = types(query.types.as_deref())?;
    let path = feed(&state, &args).await?;
    respond(&state, TailRequest::of_feed(args, path, filter)).await
}

/// The same by `POST`, for tunnels that hold the answer to a `GET` back.
#[utoipa::path(
    post, path = "/api/v1/events/stream", tag = "events", operation_id = "streamEventsByPost", params(TypesQuery, StreamParams),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        Refused, Mistaken,
    )
)]
pub(crate) async fn stream_by_post(
    state: State<AppState>,
    query: Query<TypesQuery>,
    args: TailArgs,
) -> Result<Response, Problem> {
    stream(state, query, args).await
}

/// Whose feed it is: the user's who asks, or of whom the ticket was made for.
async fn feed(state: &AppState, args: &TailArgs) -> Result<StreamPath, Problem> {
    let principal = match &args.credential {
        StreamCredential::Principal(principal) => principal,
        StreamCredential::Ticket(text) | StreamCredential::FeedCookie(text) => {
            return Ok(state.gate().feed_of_ticket(text.expose_secret(), &args.facts).await?);
        }
    };
    feed_of(state, principal).await
}
