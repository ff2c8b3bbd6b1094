//! Showing a subscription.

use axum::Json;
use axum::extract::State;

use super::asked::{Asked, Id};
use super::body::SubscriptionBody;
use super::owner::find_own;
use super::refusal::Refusal;
use crate::AppState;
use crate::credential::Caller;
use crate::problem::ProblemBody;

/// A subscription, with its streams and where each stands.
#[utoipa::path(
    get, path = "/v1/stream/__ds/subscriptions/{id}", tag = "subscriptions", params(("id" = String, Path)),
    responses(
        (status = 200, body = SubscriptionBody),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "none of this id, or somebody else's"),
    )
)]
pub(super) async fn show_subscription(
    State(state): State<AppState>,
    Id(id): Id,
    Asked(Caller(principal)): Asked<Caller>,
) -> Result<Json<SubscriptionBody>, Refusal> {
    let subscription = find_own(&state, &principal, &id).await?;
    let view = state.subscriptions().view(subscription).await?;
    Ok(Json(SubscriptionBody::of(view, state.subscriptions())))
}
