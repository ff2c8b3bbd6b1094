//! `GET` and `POST /documents`, `POST /documents/upload`.

use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;

use crate::AppState;
use crate::credential::Someone;
use crate::documents::{DocumentView, list_own, upload_as};
use crate::extract::{Page, PageArgs};
use crate::legacy::page::page;
use crate::ops::wants_html;
use crate::problem::Problem;
use crate::wire::{Conflicting, Mistaken, PageParams, Refused, Unprocessable};

/// Lists the caller's documents; a page for people who came here by a link.
#[utoipa::path(
    get, path = "/documents", tag = "existing front ends", operation_id = "listDocumentsForChat",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<DocumentView>), Refused, Mistaken)
)]
pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, Problem> {
    if wants_html(request.headers()) {
        return Ok(page("Documents"));
    }
    let (mut parts, _) = request.into_parts();
    let Someone(caller) = Someone::from_request_parts(&mut parts, &state).await?;
    let args = PageArgs::from_request_parts(&mut parts, &state).await?;
    Ok(list_own(&state, &caller, &args).await?.into_response())
}

/// Takes a document.
#[utoipa::path(
    post, path = "/documents", tag = "existing front ends", operation_id = "uploadDocumentForChat",
    responses((status = 202, description = "Stored", body = DocumentView), Refused, Conflicting, Unprocessable)
)]
pub(crate) async fn upload(
    State(state): State<AppState>,
    Someone(caller): Someone,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    upload_as(&state, &caller, &headers, request, "POST /documents").await
}

/// Takes a document.
#[utoipa::path(
    post, path = "/documents/upload", tag = "existing front ends", operation_id = "uploadDocumentForChatHere",
    responses((status = 202, description = "Stored", body = DocumentView), Refused, Conflicting, Unprocessable)
)]
pub(crate) async fn upload_here(
    state: State<AppState>,
    caller: Someone,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    upload(state, caller, headers, request).await
}
