//! `live=long-poll`: one answer, as soon as there is something to say.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use tidegate_gate::{Connection, EndReason, StreamKind};
use tidegate_log::Page;
use tidegate_types::{ErrorCode, ReadFrom};

use super::caching;
use super::query::ReadQuery;
use super::read::{answer, check_gap, mark, principal_of, read_bound};
use super::target::Target;
use crate::AppState;
use crate::access;
use crate::problem::Problem;
use crate::tail::{Counted, Reader, TailArgs, admit};

/// Answers with records, or 204 when the time is up, the stream is at its end, or the node drains.
pub(super) async fn wait(
    state: &AppState,
    target: &Target,
    query: &ReadQuery,
    args: &TailArgs,
) -> Result<Response, Problem> {
    let principal = principal_of(&args.credential)?;
    access::may_read(state, principal, &target.path).await?;
    let from = query.live_from()?;
    let page = read(state, target, from).await?;
    let reader = Reader {
        principal,
        kind: StreamKind::Stream,
        path: &target.path,
        facts: &args.facts,
        transport: "long-poll",
        lease: None,
    };
    let mut connection = admit(state, reader)?;
    connection.opened(None);
    let mut counted = Counted::open(state.metrics());
    let first = page.from;
    let page = settle(state, target, page, &mut connection).await?;
    connection.note_offsets(first, page.next);
    state.metrics().events_delivered(page.records.len() as u64);
    counted.ends(EndReason::Eof);
    connection.finish(EndReason::Eof);
    Ok(respond(state, target, query, &page))
}

async fn read(state: &AppState, target: &Target, from: ReadFrom) -> Result<Page, Problem> {
    let page = state.log().read(&target.path, from, read_bound(state)).await?;
    check_gap(&page)?;
    Ok(page)
}

/// The page, once it holds something or there is no use in waiting.
async fn settle(
    state: &AppState,
    target: &Target,
    page: Page,
    connection: &mut Connection,
) -> Result<Page, Problem> {
    if !page.records.is_empty() || page.closed || state.is_draining() {
        return Ok(page);
    }
    let timeout = Duration::from_millis(state.limits().long_poll_ms);
    tokio::select! {
        moved = state.log().wait_past(&target.path, page.next, timeout) => {
            moved?;
            read(state, target, ReadFrom::At(page.next)).await
        }
        reason = connection.ended() => match reason {
            EndReason::Revoked => Err(ErrorCode::InvalidToken.into()),
            _ => Ok(page),
        },
        () = state.shutdown().cancelled() => Ok(page),
    }
}

fn respond(state: &AppState, target: &Target, query: &ReadQuery, page: &Page) -> Response {
    if page.records.is_empty() {
        let mut response = StatusCode::NO_CONTENT.into_response();
        mark(response.headers_mut(), state, page, query);
        caching::never(response.headers_mut());
        return response;
    }
    let mut response = answer(state, page, query);
    caching::page(response.headers_mut(), page, access::is_public(state, &target.path));
    response
}
