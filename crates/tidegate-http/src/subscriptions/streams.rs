//! Naming streams, and taking that back.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tidegate_types::ErrorCode;

use super::asked::{Asked, AskedBody, Id, parse_id};
use super::body::{path, paths};
use super::owner::find_own;
use super::refusal::Refusal;
use crate::AppState;
use crate::access;
use crate::credential::Caller;
use crate::extract::Path;
use crate::problem::{Problem, ProblemBody};

/// Streams to be added.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SubscriptionStreams)]
pub(super) struct StreamsBody {
    /// Their paths; they need not be there yet.
    streams: Vec<String>,
}

/// Adds streams by name, each read up to its present end.
#[utoipa::path(
    post, path = "/v1/stream/__ds/subscriptions/{id}/streams", tag = "subscriptions", request_body = StreamsBody,
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "added"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "it would have too many"),
    )
)]
pub(super) async fn add_streams(
    State(state): State<AppState>,
    Id(id): Id,
    Asked(Caller(principal)): Asked<Caller>,
    AskedBody(body): AskedBody<StreamsBody>,
) -> Result<StatusCode, Refusal> {
    let subscription = find_own(&state, &principal, &id).await?;
    let streams = paths(&body.streams)?;
    if streams.is_empty() {
        return Err(Problem::new(ErrorCode::InvalidRequest).detail("name at least one stream").into());
    }
    access::may_subscribe(&state, &principal, None, &streams).await?;
    state.subscriptions().add_streams(subscription.uid, &streams).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes back that a stream was named.
pub(super) async fn remove_stream(
    State(state): State<AppState>,
    Asked(Path((id, stream))): Asked<Path<(String, String)>>,
    Asked(Caller(principal)): Asked<Caller>,
) -> Result<StatusCode, Refusal> {
    let subscription = find_own(&state, &principal, &parse_id(&id)?).await?;
    state.subscriptions().remove_stream(subscription.uid, &path(&stream)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes back that a stream was named. It stays if the pattern matches it.
#[utoipa::path(
    delete, path = "/v1/stream/__ds/subscriptions/{id}/streams/{path}", tag = "subscriptions",
    params(("id" = String, Path), ("path" = String, Path, description = "the stream, encoded or with its slashes")),
    responses(
        (status = 204, description = "it is not named any more"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
pub(super) fn remove_stream_doc() {}
