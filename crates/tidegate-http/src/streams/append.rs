//! `POST`: append, close, mint a ticket (`?ticket`), or read where `GET` is held back (`?live=`).

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;
use tidegate_gate::{Principal, StreamKind};
use tidegate_log::{Append, Appended, ReadError, json};
use tidegate_types::{ErrorCode, StreamPath};
use tokio::time::Instant;

use super::query::ReadQuery;
use super::target::{Target, stream_of};
use super::{failures, headers, read};
use crate::AppState;
use crate::access;
use crate::credential::{Caller, StreamCredential};
use crate::edge::{BoundBody, RequestInfo};
use crate::extract::{Query, RawBody, query_pairs};
use crate::problem::Problem;
use crate::tail::TailArgs;
use crate::tickets;

/// A ticket for this stream.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TicketAnswer {
    /// Goes into the URL as `ticket`; opens the stream once.
    sse_token: String,
    /// Seconds until it can't be spent any more.
    expires_in: u64,
    /// The path to open with it.
    stream_url: String,
}

/// Whether it is an append by its method and URL alone.
pub(super) fn is_plain(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.query().is_none()
}

/// Appends to a stream. The hot path: nothing is built here that the append does not need.
pub(super) async fn plain(
    state: &AppState,
    info: &RequestInfo,
    head: &mut Parts,
    body: &mut BoundBody,
) -> Result<Response, Problem> {
    let path = stream_of(&head.uri, info.stream.as_ref())?;
    let Caller(principal) = Caller::of(state, head, Some(info)).await?;
    let writer = Writer { path: &path, principal: &principal };
    let body = async { body.whole().await.map_err(|error| error.code().into()) };
    append(state, writer, std::mem::take(&mut head.headers), body).await
}

/// A `POST` with a query: mints, reads, or appends after all.
pub(super) async fn post(
    State(state): State<AppState>,
    target: Target,
    Query(query): Query<ReadQuery>,
    args: TailArgs,
    request: Request,
) -> Result<Response, Problem> {
    if query.live()?.is_some() {
        return read::open(&state, target, &query, args, request.headers()).await;
    }
    if query_pairs(request.uri().query().unwrap_or_default())?.iter().any(|(name, _)| name == "ticket") {
        return mint(&state, &target, &args).await;
    }
    let StreamCredential::Principal(principal) = &args.credential else {
        return Err(Problem::new(ErrorCode::InvalidToken).detail("a ticket opens a stream and nothing else"));
    };
    let (mut parts, body) = request.into_parts();
    let headers = std::mem::take(&mut parts.headers);
    let body = async {
        let RawBody(body) = RawBody::from_request(Request::from_parts(parts, body), &state).await?;
        Ok(body)
    };
    append(&state, Writer { path: &target.path, principal }, headers, body).await
}

async fn mint(state: &AppState, target: &Target, args: &TailArgs) -> Result<Response, Problem> {
    let principal = read::principal_of(&args.credential)?;
    let ticket = tickets::mint(state, principal, &target.path, StreamKind::Stream, &args.facts).await?;
    let answer = TicketAnswer {
        sse_token: ticket.secret.reveal().to_owned(),
        expires_in: ticket.expires_in,
        stream_url: target.url_path(),
    };
    Ok(Json(answer).into_response())
}

/// Who writes where.
#[derive(Clone, Copy)]
struct Writer<'r> {
    path: &'r StreamPath,
    principal: &'r Principal,
}

async fn append(
    state: &AppState,
    writer: Writer<'_>,
    request: HeaderMap,
    body: impl Future<Output = Result<Bytes, Problem>>,
) -> Result<Response, Problem> {
    access::may_write(state, writer.principal, writer.path)?;
    let wanted = match wanted(state, &request, body.await?) {
        Ok(wanted) => wanted,
        Err(malformed) => {
            return Err(Box::pin(sooner(state, writer.path, &request)).await?.unwrap_or(malformed));
        }
    };
    let closes_only = wanted.records.is_empty();
    let started = Instant::now();
    let appended = state.log().append(writer.path, wanted).await?;
    state.metrics().appended(started.elapsed());
    Ok(answer(&appended, closes_only, request))
}

/// What is wrong with the stream itself, which is told before what is wrong with the body: bytes
/// of another type than the stream's need not be JSON.
async fn sooner(
    state: &AppState,
    path: &StreamPath,
    request: &HeaderMap,
) -> Result<Option<Problem>, Problem> {
    let info = match state.log().find(path).await {
        Ok(info) => info,
        Err(missing @ (ReadError::NotFound | ReadError::Gone)) => return Ok(Some(missing.into())),
        Err(error) => return Err(error.into()),
    };
    let given = headers::content_type(request)?;
    let differs = given.is_some_and(|given| !failures::same_type(given, &info.content_type));
    Ok(differs.then(|| ErrorCode::ContentTypeMismatch.into()))
}

fn wanted(state: &AppState, request: &HeaderMap, body: Bytes) -> Result<Append, Problem> {
    // One look at the names there are, instead of one for each that most appends lack.
    let (close, producer, seq) = match request.keys().any(headers::is_of_protocol) {
        true => (headers::wants_close(request), headers::producer(request)?, headers::sequence(request)?),
        false => (false, None, None),
    };
    if body.is_empty() {
        // Closing says nothing about bytes, so its content type is not looked at.
        let append = Append { seq, producer, close, ..Append::default() };
        return if close { Ok(append) } else { Err(ErrorCode::EmptyBody.into()) };
    }
    let missing = || Problem::new(ErrorCode::InvalidRequest).detail("an append needs a Content-Type");
    let content_type = headers::content_type(request)?.ok_or_else(missing)?;
    // The stream is not looked up for this: the log refuses a type that is not the stream's.
    let is_json = failures::is_json(content_type);
    let records = if is_json { json::split(&body, failures::json_depth(state))? } else { vec![body] };
    Ok(Append {
        records,
        content_type: Some(content_type.to_owned()),
        seq,
        producer,
        close,
        expect_tail: None,
    })
}

/// `map`: the request's headers, whose memory becomes the answer's.
fn answer(appended: &Appended, closes_only: bool, mut map: HeaderMap) -> Response {
    let written = appended.producer.is_some() && !appended.duplicate && !closes_only;
    map.clear();
    map.insert(headers::NEXT_OFFSET, headers::offset(appended.tail));
    if appended.closed {
        map.insert(headers::CLOSED, headers::TRUE);
    }
    if let Some(ack) = appended.producer {
        map.insert(headers::PRODUCER_EPOCH, HeaderValue::from(ack.epoch));
        map.insert(headers::PRODUCER_SEQ, HeaderValue::from(ack.seq));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = if written { StatusCode::OK } else { StatusCode::NO_CONTENT };
    *response.headers_mut() = map;
    response
}
