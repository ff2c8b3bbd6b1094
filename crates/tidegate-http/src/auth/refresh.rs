//! Rotating the tokens of a session.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tidegate_gate::{ExposeSecret as _, SecretString};

use super::answer::RefreshedBody;
use crate::AppState;
use crate::credential::Facts;
use crate::extract::JsonBody;
use crate::problem::{Problem, ProblemBody};

/// What a session is refreshed with.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Refresh)]
pub(super) struct RefreshBody {
    /// The newest refresh token of the session.
    #[schema(value_type = String)]
    refresh_token: SecretString,
}

/// Spends a refresh token for new tokens. The same token again within 10 s gets the same successor,
/// unless that was used; otherwise the session and its streams end.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "accounts", security(()), request_body = RefreshBody,
    responses(
        (status = 200, body = RefreshedBody, description = "new tokens"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "`invalid-token`, or `refresh-reused`: the session has ended"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "`account-disabled`"),
        (status = 429, body = ProblemBody, content_type = "application/problem+json", description = "`rate-limited`"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "`database-unavailable`: the token was not spent"),
    )
)]
pub(super) async fn refresh(
    State(state): State<AppState>,
    Facts(facts): Facts,
    JsonBody(body): JsonBody<RefreshBody>,
) -> Result<Json<RefreshedBody>, Problem> {
    let tokens = state.gate().refresh(body.refresh_token.expose_secret(), &facts).await?;
    Ok(Json(tokens.into()))
}
