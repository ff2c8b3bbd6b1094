//! `DELETE /api/v1/documents/{id}`: record, file, passages and stream are gone.

use axum::extract::State;
use http::StatusCode;

use super::access::own;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Deletes a document.
#[utoipa::path(
    delete, path = "/api/v1/documents/{id}", tag = "documents", operation_id = "deleteDocument",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "Gone; its open streams end with `deleted`"), Refused, Missing)
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let document = own(&state, &caller, &id).await?;
    state.documents().delete(&document.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
