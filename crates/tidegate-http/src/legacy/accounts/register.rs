//! `/auth/register`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use super::answer::{LongSignedInBody, kind};
use crate::AppState;
use crate::auth::{RegisterBody, sign_up};
use crate::credential::Facts;
use crate::extract::JsonBody;
use crate::legacy::page::page_or_refusal;
use crate::problem::Problem;
use crate::wire::{Conflicting, Refused, Unprocessable};

/// Makes an account and signs it in with a long-lived token.
#[utoipa::path(
    post, path = "/auth/register", tag = "existing front ends", operation_id = "registerForLong",
    security(()), request_body = RegisterBody,
    responses(
        (status = 201, description = "The account and its first session", body = LongSignedInBody),
        Refused, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn register(
    State(state): State<AppState>,
    Facts(facts): Facts,
    JsonBody(body): JsonBody<RegisterBody>,
) -> Result<impl IntoResponse, Problem> {
    let begun = sign_up(&state, body, kind(&state), &facts).await?;
    Ok((StatusCode::CREATED, LongSignedInBody::from(begun)))
}

/// A page for people who came here by a link.
#[utoipa::path(
    get, path = "/auth/register", tag = "existing front ends", operation_id = "registerPage", security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn register_page(headers: HeaderMap) -> Result<Response, Problem> {
    page_or_refusal(&headers, "Register")
}
