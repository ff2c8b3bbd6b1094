//! `GET /api/v1/documents/{id}/stream`: its processing, from the beginning unless said otherwise.

use axum::extract::State;
use axum::response::Response;
use tidegate_documents::Documents;

use super::access::parse_id;
use crate::AppState;
use crate::extract::Path;
use crate::problem::Problem;
use crate::tail::{TailArgs, TailRequest, respond};
use crate::wire::{Missing, Mistaken, Refused, StreamParams};

/// Streams the processing of a document.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/stream", tag = "documents", operation_id = "streamDocument",
    params(("id" = String, Path, description = "Its id"), StreamParams),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "It has ended and the reader has seen all of it"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn stream(
    State(state): State<AppState>,
    Path(id): Path<String>,
    args: TailArgs,
) -> Result<Response, Problem> {
    respond(&state, TailRequest::of_stream(args, Documents::stream_path(parse_id(&id)?))).await
}

/// The same by `POST`, for tunnels that hold the answer to a `GET` back.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/stream", tag = "documents", operation_id = "streamDocumentByPost",
    params(("id" = String, Path, description = "Its id"), StreamParams),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "It has ended and the reader has seen all of it"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn stream_by_post(
    state: State<AppState>,
    id: Path<String>,
    args: TailArgs,
) -> Result<Response, Problem> {
    stream(state, id, args).await
}
