//! Giving a claimed wake back.

use axum::extract::State;
use http::StatusCode;

use super::ack::report;
use super::asked::{AskedBody, Id, WakeToken};
use super::body::ReportBody;
use super::refusal::Refusal;
use crate::AppState;
use crate::problem::ProblemBody;

/// Gives a claimed wake back. What is pending makes the next one at once.
#[utoipa::path(
    post, path = "/v1/stream/__ds/subscriptions/{id}/release", tag = "subscriptions", request_body = ReportBody,
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "given back"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "the wake is over (`FENCED`)"),
    )
)]
pub(super) async fn release_wake(
    State(state): State<AppState>,
    Id(id): Id,
    WakeToken(token): WakeToken,
    AskedBody(body): AskedBody<ReportBody>,
) -> Result<StatusCode, Refusal> {
    state.subscriptions().release(&id, report(&token, &body)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
