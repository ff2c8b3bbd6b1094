//! `GET /api/v1/documents/{id}/content`: the file as it came, to be saved and never shown.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use http::{HeaderName, HeaderValue};
use tidegate_documents::Content;

use super::access::readable;
use super::attachment::attachment;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers the file of a document, as an attachment.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/content", tag = "documents", operation_id = "downloadDocument",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>),
        Refused, Missing,
    )
)]
pub(crate) async fn content(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let document = readable(&state, &caller, &id).await?;
    let content = state.documents().content(&document).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(document.media_type.as_str())),
        (CONTENT_LENGTH, HeaderValue::from(content.size())),
        (CONTENT_DISPOSITION, attachment(&document.filename)),
        // Should a browser show it all the same: no scripts, no origin, nothing loaded.
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (CORP, HeaderValue::from_static("same-origin")),
    ];
    Ok((headers, Body::from_stream(pieces(content))).into_response())
}

fn pieces(content: Content) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(content, |mut content| async move {
        Ok(content.next().await?.map(|piece| (piece, content)))
    })
}
