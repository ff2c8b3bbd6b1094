//! `Idempotency-Key` for calls that create something.
//!
//! Owns: replaying the first answer for the same key and body.
//! Must not: keep answers itself (the gate does), or keep refusals that may turn out well later.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tidegate_gate::{Gate, GateError, IdempotencyToken, Idempotent, Principal, StoredAnswer};
use tidegate_types::ErrorCode;

use crate::AppState;
use crate::edge::in_same_request;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const KEY_BYTES_MAX: usize = 255;
const ANSWER_BYTES_MAX: usize = 1_048_576;
/// Headers that belong to the answer itself; the middleware adds the rest anew.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, ETAG];

/// Runs `work` once for a key: the same key and body get the first answer again, another body a
/// conflict. Without the header `work` simply runs. `route` is the template, such as
/// `POST /api/v1/generations`.
///
/// With a key, `work` and the keeping of its answer go on when the client hangs up: it will ask
/// again with the same key, and must find what was done. Hence `'static`.
pub(crate) async fn idempotent<F, W, T>(
    state: &AppState,
    principal: &Principal,
    route: &'static str,
    headers: &HeaderMap,
    body: &[u8],
    work: W,
) -> Result<Response, Problem>
where
    W: FnOnce() -> F,
    F: Future<Output = Result<T, Problem>> + Send + 'static,
    T: IntoResponse + Send + 'static,
{
    let Some(key) = key(headers)? else { return Ok(work().await?.into_response()) };
    let token = match state.gate().begin_idempotent(principal, route, key, body).await? {
        Idempotent::Fresh(token) => token,
        Idempotent::Replay(answer) => return Ok(replay(answer)),
        Idempotent::Conflict => return Err(ErrorCode::IdempotencyConflict.into()),
        Idempotent::InProgress => {
            let problem = Problem::new(ErrorCode::Conflict).retry_after(1);
            return Err(problem.detail("a request with this idempotency key is under way"));
        }
    };
    let finished = tokio::spawn(in_same_request(finish(state.gate().clone(), token, work())));
    finished.await.unwrap_or_else(|_| Err(Problem::internal(&"a handler panicked")))
}

async fn finish<F, T>(gate: Gate, token: IdempotencyToken, work: F) -> Result<Response, Problem>
where
    F: Future<Output = Result<T, Problem>>,
    T: IntoResponse,
{
    let done = match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done,
        Err(_) => Err(Problem::internal(&"a handler panicked")),
    };
    match done {
        Ok(answer) => {
            let (response, stored) = store(answer.into_response()).await?;
            gate.finish_idempotent(token, stored).await?;
            Ok(response)
        }
        Err(problem) => {
            // A refusal changed nothing, so the same key may try again.
            gate.abandon_idempotent(token).await?;
            Err(problem)
        }
    }
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    key.map(Some).ok_or_else(|| {
        Problem::new(ErrorCode::InvalidRequest)
            .detail("Idempotency-Key must be 1 to 255 visible ASCII characters")
    })
}

async fn store(response: Response) -> Result<(Response, StoredAnswer), Problem> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(|error| Problem::internal(&error))?;
    let text =
        |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let headers = KEPT.iter().filter_map(|name| Some((name.as_str().to_owned(), text(name)?))).collect();
    let stored = StoredAnswer { status: parts.status.as_u16(), headers, body: bytes.to_vec() };
    Ok((Response::from_parts(parts, Body::from(bytes)), stored))
}

fn replay(answer: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl From<GateError> for Problem {
    fn from(error: GateError) -> Self {
        Self::of_domain(&error, error.code())
    }
}
