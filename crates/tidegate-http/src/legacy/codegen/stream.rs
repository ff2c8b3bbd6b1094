//! `GET …/stream?token=` of both families.

use axum::extract::State;
use axum::response::Response;
use tidegate_generations::Generations;

use crate::AppState;
use crate::extract::Path;
use crate::generations::parse_id;
use crate::problem::Problem;
use crate::tail::{TailArgs, TailFraming, TailRequest, respond};
use crate::wire::{Missing, Mistaken, Refused, StreamParams};

/// Streams a generation: `cancelling` reads `processing`, `cancelled` reads `failed`.
#[utoipa::path(
    get, path = "/generations/{id}/stream", tag = "existing front ends", operation_id = "streamCode",
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
    let request = TailRequest::of_stream(args, Generations::stream_path(&parse_id(&id)?));
    respond(&state, TailRequest { framing: TailFraming::Codegen, ..request }).await
}

/// Streams a generation: `cancelling` reads `processing`, `cancelled` reads `failed`.
#[utoipa::path(
    get, path = "/generations/generate/{id}/stream", tag = "existing front ends",
    operation_id = "streamCodeOfGenerate",
    params(("id" = String, Path, description = "Its id"), StreamParams),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "It has ended and the reader has seen all of it"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn stream_of_generate(
    state: State<AppState>,
    id: Path<String>,
    args: TailArgs,
) -> Result<Response, Problem> {
    stream(state, id, args).await
}
