//! `GET /api/v1/conversations/{id}/turns/{turn}/stream`: an answer, from its beginning unless said
//! otherwise.

use axum::extract::State;
use axum::response::Response;
use tidegate_documents::Conversations;

use super::access::{parse_id, parse_turn};
use crate::AppState;
use crate::extract::Path;
use crate::problem::Problem;
use crate::tail::{TailArgs, TailRequest, respond};
use crate::wire::{Missing, Mistaken, Refused, StreamParams};

/// Streams an answer.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/turns/{turn}/stream", tag = "conversations", operation_id = "streamTurn",
    params(
        ("id" = String, Path, description = "The conversation"),
        ("turn" = String, Path, description = "The turn"), StreamParams,
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "It has ended and the reader has seen all of it"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn stream(
    State(state): State<AppState>,
    Path((id, turn)): Path<(String, String)>,
    args: TailArgs,
) -> Result<Response, Problem> {
    let path = Conversations::stream_path(parse_id(&id)?, parse_turn(&turn)?);
    respond(&state, TailRequest::of_stream(args, path)).await
}

/// The same by `POST`, for tunnels that hold the answer to a `GET` back.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/stream", tag = "conversations",
    operation_id = "streamTurnByPost",
    params(
        ("id" = String, Path, description = "The conversation"),
        ("turn" = String, Path, description = "The turn"), StreamParams,
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "It has ended and the reader has seen all of it"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn stream_by_post(
    state: State<AppState>,
    path: Path<(String, String)>,
    args: TailArgs,
) -> Result<Response, Problem> {
    stream(state, path, args).await
}
