//! `GET`: catch-up, and the way to the live modes.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tidegate_gate::Principal;
use tidegate_log::{Page, ReadBound};
use tidegate_types::{ErrorCode, ReadFrom};

use super::query::{Live, ReadQuery};
use super::target::Target;
use super::{caching, headers, long_poll};
use crate::AppState;
use crate::access;
use crate::credential::StreamCredential;
use crate::edge::{Arrival, RequestInfo};
use crate::extract::{Query, query_pairs};
use crate::framing::next_cursor;
use crate::problem::Problem;
use crate::tail::{TailArgs, TailFraming, TailRequest, respond, respond_to};
use crate::wire::refuse_gap;

/// Reads a stream.
pub(super) async fn read(
    State(state): State<AppState>,
    target: Target,
    Query(query): Query<ReadQuery>,
    args: TailArgs,
    request: HeaderMap,
) -> Result<Response, Problem> {
    open(&state, target, &query, args, &request).await
}

/// Whether the head is one of a live stream, by its method and URL alone.
pub(super) fn is_live(head: &Parts) -> bool {
    let is_live = |piece| matches!(piece, "live=sse" | "live=events");
    head.method == Method::GET && head.uri.query().is_some_and(|query| query.split('&').any(is_live))
}

/// The same for such a head, without the extractors: what they put together for every kind of handler is a good
/// part of what a connect costs.
pub(super) async fn live(
    state: &AppState,
    arrival: &Arrival,
    info: &RequestInfo,
    head: &mut Parts,
) -> Result<Response, Problem> {
    let request = {
        let target = Target::of(head, Some(info))?;
        let query = ReadQuery::of(query_pairs(head.uri.query().unwrap_or_default())?);
        let mut args = TailArgs::of(state, head, Some(info), arrival.socket.clone()).await?;
        args.answer = std::mem::take(&mut head.headers);
        plan(state, &target, &query, args)?
    };
    match request {
        Plan::Tail(mut request) => respond_to(state, &mut request).await,
        // The URL says how it is live.
        Plan::LongPoll(_) | Plan::CatchUp(_) => Err(ErrorCode::InvalidRequest.into()),
    }
}

/// The same for a `POST` with a live query, where a tunnel holds answers to `GET` back.
pub(super) async fn open(
    state: &AppState,
    target: Target,
    query: &ReadQuery,
    args: TailArgs,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    match plan(state, &target, query, args)? {
        Plan::Tail(request) => respond(state, request).await,
        Plan::LongPoll(args) => long_poll::wait(state, &target, query, &args).await,
        Plan::CatchUp(args) => {
            let principal = principal_of(&args.credential)?;
            access::may_read(state, principal, &target.path).await?;
            catch_up(state, &target, query, request).await
        }
    }
}

/// What a `GET` asks for.
enum Plan {
    Tail(TailRequest),
    LongPoll(TailArgs),
    CatchUp(TailArgs),
}

fn plan(state: &AppState, target: &Target, query: &ReadQuery, mut args: TailArgs) -> Result<Plan, Problem> {
    let by_ticket = !matches!(args.credential, StreamCredential::Principal(_));
    let live = match query.live()? {
        // A ticket opens the events framing only, so its URL need not say so.
        None if by_ticket => Some(Live::Events),
        live => live,
    };
    Ok(match live {
        Some(Live::Events) => {
            args.start.from = args.start.from.or(query.from()?);
            Plan::Tail(TailRequest::of_stream(args, target.path.clone()))
        }
        Some(Live::Sse) => {
            args.start.from = Some(query.live_from()?);
            let cursor = next_cursor(query.cursor(), state.clock().now(), state.entropy());
            let framing = TailFraming::DurableStreams { cursor };
            Plan::Tail(TailRequest { framing, ..TailRequest::of_stream(args, target.path.clone()) })
        }
        Some(Live::LongPoll) => Plan::LongPoll(args),
        None => Plan::CatchUp(args),
    })
}

/// Whoever reads without a live stream of events; a ticket does not.
pub(super) fn principal_of(credential: &StreamCredential) -> Result<&Principal, Problem> {
    match credential {
        StreamCredential::Principal(principal) => Ok(principal),
        StreamCredential::Ticket(_) | StreamCredential::FeedCookie(_) => {
            Err(Problem::new(ErrorCode::TicketInvalid).detail("a ticket opens the events framing only"))
        }
    }
}

async fn catch_up(
    state: &AppState,
    target: &Target,
    query: &ReadQuery,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let from = query.from()?.unwrap_or(ReadFrom::Start);
    let page = state.log().read(&target.path, from, read_bound(state)).await?;
    check_gap(&page)?;
    if from == ReadFrom::Tail {
        let mut response = answer(state, &page, query);
        caching::never(response.headers_mut());
        return Ok(response);
    }
    let mut response = if caching::is_known(request, &page) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        mark(response.headers_mut(), state, &page, query);
        response
    } else {
        answer(state, &page, query)
    };
    caching::page(response.headers_mut(), &page, access::is_public(state, &target.path));
    Ok(response)
}

/// How much one read returns.
pub(super) fn read_bound(state: &AppState) -> ReadBound {
    let limits = state.limits();
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    ReadBound { records: size(limits.read_records), bytes: size(limits.read_bytes) }
}

/// A position that can't be read from is an error here: these clients have no word for a gap.
pub(super) fn check_gap(page: &Page) -> Result<(), Problem> {
    refuse_gap(page.gap.as_ref())
}

/// A page with its records.
pub(super) fn answer(state: &AppState, page: &Page, query: &ReadQuery) -> Response {
    let mut response = body(page).into_response();
    headers::insert_content_type(response.headers_mut(), &page.info.content_type);
    mark(response.headers_mut(), state, page, query);
    response
}

/// What an answer says of where its reader stands.
pub(super) fn mark(headers: &mut HeaderMap, state: &AppState, page: &Page, query: &ReadQuery) {
    headers.insert(headers::NEXT_OFFSET, headers::offset(page.next));
    if page.up_to_date {
        headers.insert(headers::UP_TO_DATE, headers::TRUE);
    }
    if page.closed {
        headers.insert(headers::CLOSED, headers::TRUE);
        return;
    }
    let cursor = next_cursor(query.cursor(), state.clock().now(), state.entropy());
    headers.insert(headers::CURSOR, HeaderValue::from(cursor));
}

fn body(page: &Page) -> Bytes {
    if !page.info.is_json() {
        return match page.records.as_slice() {
            [one] => one.data.clone(),
            records => records.iter().flat_map(|record| record.data.iter().copied()).collect(),
        };
    }
    let bytes: usize = page.records.iter().map(|record| record.data.len() + 1).sum();
    let mut array = Vec::with_capacity(bytes + 2);
    array.push(b'[');
    for (at, record) in page.records.iter().enumerate() {
        if at > 0 {
            array.push(b',');
        }
        array.extend_from_slice(&record.data);
    }
    array.push(b']');
    array.into()
}
