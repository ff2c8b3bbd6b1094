//! `GET /api/v1/generations/{id}`: the record, and the polling fallback for those without streams.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use tidegate_gate::Principal;
use tidegate_generations::Generation;
use tidegate_types::{Offset, ReadFrom};
use utoipa::IntoParams;

use super::access::{absent, readable};
use super::view::{GenerationView, etag};
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::wire::{Missing, Mistaken, Refused, Validators, read_from, wait_seconds};

/// Whether to wait for a change.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookupQuery {
    /// Seconds to wait for a change of what `If-None-Match` or `after` names, 0 to 30.
    pub(crate) wait: Option<u64>,
    /// The `offset` that the caller has seen.
    pub(crate) after: Option<String>,
}

/// Answers the record of a generation.
#[utoipa::path(
    get, path = "/api/v1/generations/{id}", tag = "generations", operation_id = "getGeneration",
    params(
        ("id" = String, Path, description = "Its id"), LookupQuery,
        ("If-None-Match" = Option<String>, Header, description = "The ETag that the caller has"),
    ),
    responses(
        (status = 200, description = "The record", body = GenerationView, headers(("ETag" = String, description = "Names this state of the record"))),
        (status = 304, description = "Unchanged"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn lookup(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    Query(query): Query<LookupQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&state, &caller, &id, &Asked { query, headers }, GenerationView::from).await
}

/// What the caller has of a record, and whether to wait for more.
pub(crate) struct Asked {
    pub(crate) query: LookupQuery,
    pub(crate) headers: HeaderMap,
}

/// Answers the record in the words of `view`, or that the caller has it as it is.
///
/// # Errors
/// 401, 403, 404, or 422 when what was asked can't be read.
pub(crate) async fn answer<V: Serialize>(
    state: &AppState,
    caller: &Principal,
    id: &str,
    asked: &Asked,
    view: impl FnOnce(Generation) -> V,
) -> Result<Response, Problem> {
    let known = Validators::of(&asked.headers);
    let record = readable(state, caller, id).await?;
    let record = settle(state, record, &known, &asked.query).await?;
    Ok(known.answer(&etag(&record), view(record)))
}

/// The record as it is, or, when the caller has seen this one and is willing to wait, the next.
async fn settle(
    state: &AppState,
    record: Generation,
    known: &Validators,
    query: &LookupQuery,
) -> Result<Generation, Problem> {
    let wait = wait_seconds(state.limits(), query.wait)?;
    let after = read_from(query.after.as_deref())?;
    let seen = if known.are_given() {
        known.matches(&etag(&record)).then_some(record.offset)
    } else {
        after.map(|from| match from {
            ReadFrom::Start => Offset::START,
            ReadFrom::Tail => record.offset,
            ReadFrom::At(offset) => offset,
        })
    };
    match seen {
        Some(seen) if seen >= record.offset && !wait.is_zero() => next(state, record, seen, wait).await,
        _ => Ok(record),
    }
}

async fn next(
    state: &AppState,
    record: Generation,
    seen: Offset,
    wait: Duration,
) -> Result<Generation, Problem> {
    tokio::select! {
        changed = state.generations().wait_change(&record.id, seen, wait) => changed?.ok_or_else(absent),
        () = state.shutdown().cancelled() => Ok(record),
    }
}
