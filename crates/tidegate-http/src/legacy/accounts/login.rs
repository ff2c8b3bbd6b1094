//! `/auth/login`.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::answer::{LongSignedInBody, kind};
use crate::AppState;
use crate::auth::{LoginBody, sign_in};
use crate::credential::Facts;
use crate::extract::JsonBody;
use crate::legacy::page::page_or_refusal;
use crate::problem::Problem;
use crate::wire::{Refused, Unprocessable};

/// Signs an account in with a long-lived token.
#[utoipa::path(
    post, path = "/auth/login", tag = "existing front ends", operation_id = "loginForLong",
    security(()), request_body = LoginBody,
    responses((status = 200, description = "A session began", body = LongSignedInBody), Refused, Unprocessable)
)]
pub(crate) async fn login(
    State(state): State<AppState>,
    Facts(facts): Facts,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<LongSignedInBody, Problem> {
    sign_in(&state, body, kind(&state), &facts).await.map(LongSignedInBody::from)
}

/// A page for people who came here by a link.
#[utoipa::path(
    get, path = "/auth/login", tag = "existing front ends", operation_id = "loginPage", security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn login_page(headers: HeaderMap) -> Result<Response, Problem> {
    page_or_refusal(&headers, "Sign in")
}
