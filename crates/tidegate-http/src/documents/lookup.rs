//! `GET /api/v1/documents/{id}`: the record.

use axum::Json;
use axum::extract::State;

use super::access::readable;
use super::view::DocumentView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Answers the record of a document.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}", tag = "documents", operation_id = "getDocument",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The record", body = DocumentView), Refused, Missing)
)]
pub(crate) async fn lookup(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
) -> Result<Json<DocumentView>, Problem> {
    Ok(Json(readable(&state, &caller, &id).await?.into()))
}
