//! `PUT`: make a stream, or find it made with the same settings.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use tidegate_log::{Created, NewStream, json};

use super::target::{Target, not_implemented};
use super::{failures, headers};
use crate::AppState;
use crate::access;
use crate::credential::Caller;
use crate::extract::RawBody;
use crate::problem::Problem;

const BYTES: &str = "application/octet-stream";

/// Creates a stream with its first records.
pub(super) async fn create(
    State(state): State<AppState>,
    target: Target,
    Caller(principal): Caller,
    request: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    access::may_write(&state, &principal, &target.path)?;
    if headers::wants_fork(&request) {
        return Err(not_implemented("forks are not served by this version"));
    }
    let new = new_stream(&state, &request, body)?;
    let created = state.log().create(&target.path, new).await?;
    Ok(answer(&state, &target, &created))
}

fn new_stream(state: &AppState, request: &HeaderMap, body: Bytes) -> Result<NewStream, Problem> {
    let content_type = headers::content_type(request)?.unwrap_or(BYTES).to_owned();
    let (ttl, expires_at) = headers::lifetime(request)?;
    let records =
        if failures::is_json(&content_type) { first_json(state, &body)? } else { first_bytes(body) };
    Ok(NewStream { content_type, ttl, expires_at, records, closed: headers::wants_close(request) })
}

/// An empty array makes an empty stream, and so does no body.
fn first_json(state: &AppState, body: &Bytes) -> Result<Vec<Bytes>, Problem> {
    match json::split(body, failures::json_depth(state)) {
        Ok(records) => Ok(records),
        Err(json::JsonError::EmptyArray) => Ok(Vec::new()),
        Err(json::JsonError::Empty) if body.is_empty() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn first_bytes(body: Bytes) -> Vec<Bytes> {
    if body.is_empty() { Vec::new() } else { vec![body] }
}

fn answer(state: &AppState, target: &Target, created: &Created) -> Response {
    let status = if created.existed { StatusCode::OK } else { StatusCode::CREATED };
    let mut response = status.into_response();
    headers::describe(response.headers_mut(), &created.info);
    if let Ok(location) = HeaderValue::from_str(&target.url(state)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
