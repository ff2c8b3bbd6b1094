//! `PUT`: make a stream or a fork of one, or find it made with the same settings.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use tidegate_log::{CreateError, Created, NewFork, NewStream, ReadError, json};

use super::target::Target;
use super::{failures, fork, headers};
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
    let fork = fork::wanted(&state, &target, &request)?;
    if let Some(fork) = &fork {
        access::may_read(&state, &principal, &fork.source).await?;
    }
    let new = new_stream(&state, &request, body, fork).await?;
    let created = state.log().create(&target.path, new).await?;
    Ok(answer(&state, &target, &created))
}

async fn new_stream(
    state: &AppState,
    request: &HeaderMap,
    body: Bytes,
    fork: Option<NewFork>,
) -> Result<NewStream, Problem> {
    let content_type = match (headers::content_type(request)?, &fork) {
        (Some(given), _) => given.to_owned(),
        (None, None) => BYTES.to_owned(),
        // The log takes it over. Only a body has to be read by it here.
        (None, Some(_)) if body.is_empty() => String::new(),
        (None, Some(fork)) => content_type_of(state, fork).await?,
    };
    let (ttl, expires_at) = headers::lifetime(request)?;
    let records =
        if failures::is_json(&content_type) { first_json(state, &body)? } else { first_bytes(body) };
    Ok(NewStream { content_type, ttl, expires_at, records, closed: headers::wants_close(request), fork })
}

async fn content_type_of(state: &AppState, fork: &NewFork) -> Result<String, Problem> {
    match state.log().find(&fork.source).await {
        Ok(info) => Ok(info.content_type.to_string()),
        Err(ReadError::NotFound) => Err(CreateError::NoSource.into()),
        Err(ReadError::Gone) => Err(CreateError::SourceDeleted.into()),
        Err(error) => Err(error.into()),
    }
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
