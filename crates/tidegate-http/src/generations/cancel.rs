//! `POST /api/v1/generations/{id}/cancel`: at once when it waits, else by asking its worker.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::access::own;
use super::view::GenerationView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused};

/// Cancels a generation.
#[utoipa::path(
    post, path = "/api/v1/generations/{id}/cancel", tag = "generations", operation_id = "cancelGeneration",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 202, description = "Cancelled, or its worker was asked to stop; `status` says which", body = GenerationView),
        Refused, Missing, Conflicting,
    )
)]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<GenerationView>), Problem> {
    let record = own(&state, &caller, &id).await?;
    let record = state.generations().cancel(&record.id).await?;
    Ok((StatusCode::ACCEPTED, Json(record.into())))
}
