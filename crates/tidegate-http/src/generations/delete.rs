//! `DELETE /api/v1/generations/{id}`: the record and its stream are gone; open tails end.

use axum::extract::State;
use http::StatusCode;

use super::access::own;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Deletes a generation.
#[utoipa::path(
    delete, path = "/api/v1/generations/{id}", tag = "generations", operation_id = "deleteGeneration",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "Gone; its open streams end with `deleted`"), Refused, Missing)
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let record = own(&state, &caller, &id).await?;
    state.generations().delete(&record.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
