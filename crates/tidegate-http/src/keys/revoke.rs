//! Revoking a key.

use axum::extract::State;
use http::StatusCode;
use tidegate_gate::Actor;
use tidegate_types::KeyId;

use super::find;
use crate::AppState;
use crate::credential::{Facts, SignedIn};
use crate::extract::Path;
use crate::problem::{Problem, ProblemBody};

/// Revokes a key. It stops working at once, and its streams end within a second.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "keys", params(("id" = String, Path, description = "the key")),
    responses(
        (status = 204, description = "it works no more"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revoke_key(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    Facts(facts): Facts,
    Path(id): Path<KeyId>,
) -> Result<StatusCode, Problem> {
    find(&state, &user, id).await?;
    state.gate().revoke_key(id, Actor::User(user.user_id), &facts).await?;
    Ok(StatusCode::NO_CONTENT)
}
