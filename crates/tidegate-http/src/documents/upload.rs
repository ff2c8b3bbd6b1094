//! `POST /api/v1/documents/upload`: a file in, a record out; its processing goes on by itself.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use utoipa::ToSchema;

use super::receive::receive;
use super::view::DocumentView;
use crate::AppState;
use crate::credential::Someone;
use crate::generations::acts_for;
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::wire::{Conflicting, Refused, Unprocessable};

/// The form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form; the parts are read as they come")]
pub(crate) struct UploadForm {
    /// The file: plain text, Markdown, HTML, PDF or docx.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes a document.
#[utoipa::path(
    post, path = "/api/v1/documents/upload", tag = "documents", operation_id = "uploadDocument",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and file give the first answer again, for 24 h")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "Stored; its processing is told at `stream_url`", body = DocumentView),
        (status = 507, description = "The disk is full; nothing was stored"),
        Refused, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn upload(
    State(state): State<AppState>,
    Someone(caller): Someone,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    upload_as(&state, &caller, &headers, request, "POST /api/v1/documents/upload").await
}

/// The same for every path that takes uploads.
///
/// # Errors
/// The file is not taken.
pub(crate) async fn upload_as(
    state: &AppState,
    caller: &tidegate_gate::Principal,
    headers: &HeaderMap,
    request: Request,
    route: &'static str,
) -> Result<Response, Problem> {
    let upload = receive(state, acts_for(caller)?, request).await?;
    let same = upload.digest();
    let work = || async move {
        let document = upload.finish().await?;
        let location = format!("/api/v1/documents/{}", document.id);
        Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(DocumentView::from(document))))
    };
    idempotent(state, caller, route, headers, &same, work).await
}
