//! `POST /api/v1/documents/{id}/stream-token`: a ticket for readers that can send no header.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_documents::Documents;
use tidegate_gate::StreamKind;
use tidegate_types::DocumentId;
use utoipa::ToSchema;

use super::access::parse_id;
use crate::AppState;
use crate::credential::{Facts, Someone};
use crate::extract::Path;
use crate::problem::Problem;
use crate::tickets;
use crate::wire::{Missing, Refused};

/// A ticket for one document's stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentTokenView {
    /// Goes into the URL as `token`, `ticket` or `sse_token`; opens the stream once.
    sse_token: String,
    /// Seconds until it can't be spent any more.
    expires_in: u64,
    /// The path to open with it.
    stream_url: String,
    /// The document.
    #[schema(value_type = String)]
    document_id: DocumentId,
}

/// Mints a ticket for the stream of a document.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/stream-token", tag = "documents", operation_id = "mintDocumentToken",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The ticket, shown once", body = DocumentTokenView), Refused, Missing)
)]
pub(crate) async fn token(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Facts(facts): Facts,
    Path(id): Path<String>,
) -> Result<Json<DocumentTokenView>, Problem> {
    let document_id = parse_id(&id)?;
    let path = Documents::stream_path(document_id);
    let ticket = tickets::mint(&state, &caller, &path, StreamKind::Stream, &facts).await?;
    Ok(Json(DocumentTokenView {
        sse_token: ticket.secret.reveal().to_owned(),
        expires_in: ticket.expires_in,
        stream_url: format!("/api/v1/documents/{document_id}/stream"),
        document_id,
    }))
}
