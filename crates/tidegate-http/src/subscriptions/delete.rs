//! Deleting a subscription.

use axum::extract::State;
use http::StatusCode;
use tidegate_types::ErrorCode;

use super::asked::{Asked, Id};
use super::owner::find_own;
use super::refusal::Refusal;
use crate::AppState;
use crate::credential::Caller;
use crate::problem::ProblemBody;

/// Deletes a subscription. Whoever works for it is fenced off. One that is not there counts as deleted.
#[utoipa::path(
    delete, path = "/v1/stream/__ds/subscriptions/{id}", tag = "subscriptions", params(("id" = String, Path)),
    responses(
        (status = 204, description = "it is not there any more"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "somebody else's"),
    )
)]
pub(super) async fn delete_subscription(
    State(state): State<AppState>,
    Id(id): Id,
    Asked(Caller(principal)): Asked<Caller>,
) -> Result<StatusCode, Refusal> {
    if state.subscriptions().find_by_id(&id).await?.is_none() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let subscription = find_own(&state, &principal, &id).await?;
    match state.subscriptions().delete(subscription.uid).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ErrorCode::SubscriptionNotFound.into()),
    }
}
