//! Signing in.

use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;
use tidegate_gate::{ClientFacts, Login, SecretString, SessionKind};

use super::SignedInBody;
use super::answer::{Begun, SessionWish};
use crate::AppState;
use crate::credential::Facts;
use crate::extract::JsonBody;
use crate::problem::{Problem, ProblemBody};

/// What somebody signs in with.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Login)]
pub(crate) struct LoginBody {
    /// The account's email.
    pub(crate) email: String,
    /// Its password.
    #[schema(value_type = String, format = Password)]
    pub(crate) password: SecretString,
    /// How the session is carried.
    #[serde(default)]
    pub(crate) session: SessionWish,
}

/// Signs an account in. With `session: "cookie"` the answer sets an HttpOnly cookie and holds no tokens.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "accounts", security(()), request_body = LoginBody,
    responses(
        (status = 200, body = SignedInBody, description = "a session began"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "`invalid-credentials`: unknown email or wrong password, the answer does not say which"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "`account-disabled`"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`validation-failed` or `password-too-long`"),
        (status = 429, body = ProblemBody, content_type = "application/problem+json", description = "`rate-limited`, with `Retry-After`"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "`database-unavailable`"),
    )
)]
pub(super) async fn login(
    State(state): State<AppState>,
    Facts(facts): Facts,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<impl IntoResponse, Problem> {
    let kind = body.session.into();
    sign_in(&state, body, kind, &facts).await
}

/// Begins a session of an account. It is of this kind, whatever the body wishes.
///
/// # Errors
/// As [`login`] answers.
pub(crate) async fn sign_in(
    state: &AppState,
    body: LoginBody,
    kind: SessionKind,
    facts: &ClientFacts,
) -> Result<Begun, Problem> {
    let login = Login { email: body.email, password: body.password };
    Ok(Begun::of(state, state.gate().login(login, kind, facts).await?))
}
