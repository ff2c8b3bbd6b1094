//! Changing one's password.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tidegate_gate::{ChangePassword, SecretString};

use crate::AppState;
use crate::credential::{Facts, SignedIn};
use crate::extract::JsonBody;
use crate::problem::{Problem, ProblemBody};

/// What a password is changed with.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ChangePassword)]
pub(super) struct PasswordBody {
    /// The password as it is.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    /// The password as it shall be.
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

/// Changes the password. All other sessions of the account end.
#[utoipa::path(
    post, path = "/api/v1/auth/password", tag = "accounts", request_body = PasswordBody,
    responses(
        (status = 204, description = "changed"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "`invalid-credentials`: the present password is wrong"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "this account has no password here"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`weak-password` or `password-too-long`"),
        (status = 429, body = ProblemBody, content_type = "application/problem+json", description = "`rate-limited`"),
    )
)]
pub(super) async fn change_password(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    Facts(facts): Facts,
    JsonBody(body): JsonBody<PasswordBody>,
) -> Result<StatusCode, Problem> {
    let change = ChangePassword { current: body.current_password, new: body.new_password };
    state.gate().change_password(&user, change, &facts).await?;
    Ok(StatusCode::NO_CONTENT)
}
