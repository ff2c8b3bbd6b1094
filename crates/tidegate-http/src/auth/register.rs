//! Making an account.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Deserialize;
use tidegate_gate::{ClientFacts, Register, SecretString, SessionKind};
use tidegate_types::ErrorCode;

use super::SignedInBody;
use super::answer::{Begun, SessionWish};
use crate::AppState;
use crate::credential::Facts;
use crate::extract::JsonBody;
use crate::problem::{Problem, ProblemBody};

/// What somebody registers with.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Register)]
pub(crate) struct RegisterBody {
    /// An email address that no other account has.
    pub(crate) email: String,
    /// 8 to 1,024 bytes, and none of the common ones.
    #[schema(value_type = String, format = Password)]
    pub(crate) password: SecretString,
    /// The name to show.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// How the session is carried.
    #[serde(default)]
    pub(crate) session: SessionWish,
}

/// Makes an account and signs it in.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "accounts", security(()), request_body = RegisterBody,
    responses(
        (status = 201, body = SignedInBody, description = "the account and its first session"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "`registration-closed`"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "`email-taken`"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`weak-password`, `password-too-long` or `validation-failed`"),
        (status = 429, body = ProblemBody, content_type = "application/problem+json", description = "`rate-limited`"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "`database-unavailable`"),
    )
)]
pub(super) async fn register(
    State(state): State<AppState>,
    Facts(facts): Facts,
    JsonBody(body): JsonBody<RegisterBody>,
) -> Result<impl IntoResponse, Problem> {
    let kind = body.session.into();
    Ok((StatusCode::CREATED, sign_up(&state, body, kind, &facts).await?))
}

/// Makes an account and its first session. The session is of this kind, whatever the body wishes.
///
/// # Errors
/// As [`register`] answers.
pub(crate) async fn sign_up(
    state: &AppState,
    body: RegisterBody,
    kind: SessionKind,
    facts: &ClientFacts,
) -> Result<Begun, Problem> {
    if !state.config().registration {
        return Err(ErrorCode::RegistrationClosed.into());
    }
    let new = Register { email: body.email, password: body.password, name: body.name };
    Ok(Begun::of(state, state.gate().register(new, kind, facts).await?))
}
