//! `HEAD`, `DELETE` and `OPTIONS`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::ALLOW;
use http::{HeaderValue, StatusCode};
use tidegate_log::ReadError;

use super::read::principal_of;
use super::target::Target;
use super::{caching, headers};
use crate::AppState;
use crate::access;
use crate::credential::{Caller, StreamCredential};
use crate::problem::Problem;

pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS");

/// What a stream is, without its records.
pub(super) async fn head(
    State(state): State<AppState>,
    target: Target,
    credential: StreamCredential,
) -> Result<Response, Problem> {
    access::may_read(&state, principal_of(&credential)?, &target.path).await?;
    let info = state.log().find(&target.path).await?;
    let mut response = StatusCode::OK.into_response();
    headers::describe(response.headers_mut(), &info);
    caching::never(response.headers_mut());
    Ok(response)
}

/// Deletes a stream; open tails end.
pub(super) async fn delete(
    State(state): State<AppState>,
    target: Target,
    Caller(principal): Caller,
) -> Result<StatusCode, Problem> {
    access::may_write(&state, &principal, &target.path)?;
    match state.log().delete(&target.path).await? {
        true => Ok(StatusCode::NO_CONTENT),
        // A stream that is made between the two looks was not there for this request.
        false => Err(state.log().find(&target.path).await.err().unwrap_or(ReadError::NotFound).into()),
    }
}

/// What can be done here.
pub(super) async fn options(_: Target) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response()
}
