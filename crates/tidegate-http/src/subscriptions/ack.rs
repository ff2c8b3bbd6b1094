//! Acknowledging work: by a worker that claimed a wake, and by a webhook that was called.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_subscriptions::{Ack, Holding};
use tidegate_types::{ErrorCode, Offset, StreamPath};

use super::asked::{AskedBody, Id, WakeToken};
use super::body::{AckBody, ReportBody, path};
use super::refusal::Refusal;
use crate::AppState;
use crate::problem::{Problem, ProblemBody};

/// The answer to a report.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WakeReported)]
pub(super) struct Reported {
    ok: bool,
    /// Whether there is more, so that the next wake is on its way.
    next_wake: bool,
}

/// A worker acknowledges what it did, and keeps its lease; `done` ends the wake.
#[utoipa::path(
    post, path = "/v1/stream/__ds/subscriptions/{id}/ack", tag = "subscriptions", request_body = ReportBody,
    params(("id" = String, Path)),
    responses(
        (status = 200, body = Reported),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "the token is none of this subscription (`TOKEN_INVALID`)"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "the wake is over (`FENCED`), or an offset can't be acknowledged (`INVALID_OFFSET`)"),
    )
)]
pub(super) async fn acknowledge(
    State(state): State<AppState>,
    Id(id): Id,
    WakeToken(token): WakeToken,
    AskedBody(body): AskedBody<ReportBody>,
) -> Result<Json<Reported>, Refusal> {
    let acked = state.subscriptions().ack(&id, Holding::Worker, report(&token, &body)?).await?;
    Ok(Json(Reported { ok: true, next_wake: acked.next_wake }))
}

/// A webhook calls back: acknowledges what it did, and keeps its lease; `done` ends the wake.
#[utoipa::path(
    post, path = "/v1/stream/__ds/subscriptions/{id}/callback", tag = "subscriptions", request_body = ReportBody,
    params(("id" = String, Path)),
    responses(
        (status = 200, body = Reported),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "the token is none of this subscription (`TOKEN_INVALID`)"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "the wake is over (`FENCED`), or an offset can't be acknowledged (`INVALID_OFFSET`)"),
    )
)]
pub(super) async fn call_back(
    State(state): State<AppState>,
    Id(id): Id,
    WakeToken(token): WakeToken,
    AskedBody(body): AskedBody<ReportBody>,
) -> Result<Json<Reported>, Refusal> {
    let acked = state.subscriptions().ack(&id, Holding::Webhook, report(&token, &body)?).await?;
    Ok(Json(Reported { ok: true, next_wake: acked.next_wake }))
}

pub(super) fn report<'a>(token: &'a str, body: &'a ReportBody) -> Result<Ack<'a>, Refusal> {
    let acks = body.acks.iter().map(ack).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Ack { token, wake: &body.wake_id, generation: body.generation, acks, done: body.done })
}

fn ack(ack: &AckBody) -> Result<(StreamPath, Offset), Refusal> {
    let bad = || Problem::new(ErrorCode::InvalidOffset).detail("an offset of the request is none");
    // `-1` and `now` are where reads begin, not what was worked on.
    let offset = ack.offset.as_str().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
    Ok((path(&ack.stream)?, offset))
}
