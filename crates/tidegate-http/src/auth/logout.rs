//! Signing out.

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::SET_COOKIE;

use super::cookie::cleared;
use crate::AppState;
use crate::credential::{Facts, SignedIn};
use crate::problem::{Problem, ProblemBody};

/// Ends the session that asks. Its streams end within a second, on every node.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "accounts",
    responses(
        (status = 204, description = "the session is over; its cookies are taken back"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn logout(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    Facts(facts): Facts,
) -> Result<impl IntoResponse, Problem> {
    state.gate().logout(&user, &facts).await?;
    let cookies = cleared(&state).map(|value| (SET_COOKIE, value));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookies)))
}
