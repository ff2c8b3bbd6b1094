//! `GET /auth/me`.

use axum::Json;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};

use crate::AppState;
use crate::auth::{UserBody, account};
use crate::credential::SignedIn;
use crate::legacy::page::page;
use crate::ops::wants_html;
use crate::problem::Problem;
use crate::wire::Refused;

/// The account that asks; a page for people who came here by a link.
#[utoipa::path(
    get, path = "/auth/me", tag = "existing front ends", operation_id = "meForLong",
    responses((status = 200, body = UserBody), Refused)
)]
pub(crate) async fn me(State(state): State<AppState>, request: Request) -> Result<Response, Problem> {
    if wants_html(request.headers()) {
        return Ok(page("Account"));
    }
    let (mut parts, _) = request.into_parts();
    let SignedIn(user) = SignedIn::from_request_parts(&mut parts, &state).await?;
    Ok(Json(account(&state, &user).await?).into_response())
}
