//! `GET /generations/{id}`: the record in this front end's words, for those who poll.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use tidegate_generations::{Generation, Status};

use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Path, Query};
use crate::framing::{cancelled_error, codegen_status};
use crate::generations::{Asked, GenerationView, LookupQuery, answer};
use crate::problem::Problem;
use crate::wire::{Missing, Mistaken, Refused};

/// Answers the record of a generation: `cancelling` reads `processing`, `cancelled` reads `failed`.
#[utoipa::path(
    get, path = "/generations/{id}", tag = "existing front ends", operation_id = "getCode",
    params(
        ("id" = String, Path, description = "Its id"), LookupQuery,
        ("If-None-Match" = Option<String>, Header, description = "The ETag that the caller has"),
    ),
    responses(
        (status = 200, description = "The record", body = GenerationView),
        (status = 304, description = "Unchanged"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn record(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    Query(query): Query<LookupQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&state, &caller, &id, &Asked { query, headers }, view).await
}

fn view(mut record: Generation) -> GenerationView {
    if record.status == Status::Cancelled {
        record.error = Some(cancelled_error(record.message.as_deref()));
    }
    record.status = codegen_status(record.status);
    record.into()
}
