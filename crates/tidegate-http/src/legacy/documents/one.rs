//! `GET` and `DELETE /documents/{id}`.

use axum::Json;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::AppState;
use crate::credential::Someone;
use crate::documents::{DocumentView, own, readable};
use crate::extract::Path;
use crate::legacy::page::page;
use crate::ops::wants_html;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Answers the record of a document; a page for people who came here by a link.
#[utoipa::path(
    get, path = "/documents/{id}", tag = "existing front ends", operation_id = "getDocumentForChat",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The record", body = DocumentView), Refused, Missing)
)]
pub(crate) async fn lookup(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    if wants_html(request.headers()) {
        return Ok(page("Document"));
    }
    let (mut parts, _) = request.into_parts();
    let Someone(caller) = Someone::from_request_parts(&mut parts, &state).await?;
    Ok(Json(DocumentView::from(readable(&state, &caller, &id).await?)).into_response())
}

/// Deletes a document.
#[utoipa::path(
    delete, path = "/documents/{id}", tag = "existing front ends", operation_id = "deleteDocumentForChat",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "Gone"), Refused, Missing)
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
