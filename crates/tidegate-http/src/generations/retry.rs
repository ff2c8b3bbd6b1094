//! `POST /api/v1/generations/{id}/retry`: a new generation like a finished one.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

use super::access::own;
use super::view::GenerationView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused};

/// Repeats a finished generation.
#[utoipa::path(
    post, path = "/api/v1/generations/{id}/retry", tag = "generations", operation_id = "retryGeneration",
    params(
        ("id" = String, Path, description = "The finished one"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again, for 24 h"),
    ),
    responses(
        (status = 201, description = "A new record with `retry_of` and a stream of its own", body = GenerationView),
        Refused, Missing, Conflicting,
    )
)]
pub(crate) async fn retry(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let finished = own(&state, &caller, &id).await?;
    let generations = state.generations().clone();
    let work = || async move {
        let record = generations.retry(finished.owner_id, &finished.id).await?;
        let location = format!("/api/v1/generations/{}", record.id);
        Ok((StatusCode::CREATED, [(LOCATION, location)], Json(GenerationView::from(record))))
    };
    idempotent(&state, &caller, "POST /api/v1/generations/{id}/retry", &headers, id.as_bytes(), work).await
}
