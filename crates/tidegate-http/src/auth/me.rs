//! Who I am.

use axum::Json;
use axum::extract::State;
use tidegate_gate::UserPrincipal;
use tidegate_types::ErrorCode;

use super::UserBody;
use crate::AppState;
use crate::credential::SignedIn;
use crate::problem::{Problem, ProblemBody};

/// The account that asks.
#[utoipa::path(
    get, path = "/api/v1/auth/me", tag = "accounts",
    responses(
        (status = 200, body = UserBody),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "a key is no account"),
    )
)]
pub(super) async fn me(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
) -> Result<Json<UserBody>, Problem> {
    account(&state, &user).await.map(Json)
}

/// The account of a signed-in user as it is now.
///
/// # Errors
/// 401 when it is gone, or the store failed.
pub(crate) async fn account(state: &AppState, user: &UserPrincipal) -> Result<UserBody, Problem> {
    let found = state.gate().lookup_user(user.user_id).await?;
    found.map(UserBody::from).ok_or_else(|| ErrorCode::InvalidToken.into())
}
