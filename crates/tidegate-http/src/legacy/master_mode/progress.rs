//! `GET /api/master-mode/progress/{id}`: the stream, which the page may ask for too early.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use tidegate_gate::Principal;
use tidegate_generations::{Generation, Generations};
use tidegate_types::{ErrorCode, GenerationId};
use tokio::time::{Instant, sleep_until};

use crate::AppState;
use crate::credential::StreamCredential;
use crate::extract::Path;
use crate::generations::{absent, parse_id};
use crate::problem::Problem;
use crate::tail::{TailArgs, TailFraming, TailRequest, respond};
use crate::wire::{Missing, Mistaken, Refused, StreamParams};

/// How long a stream waits for the `POST` that makes it.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Streams the progress of a story to its owner; waits up to 10 s for one that is not there yet.
#[utoipa::path(
    get, path = "/api/master-mode/progress/{id}", tag = "existing front ends", operation_id = "streamStory",
    params(("id" = String, Path, description = "Its id"), StreamParams),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "It has ended and the reader has seen all of it"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn progress(
    State(state): State<AppState>,
    Path(id): Path<String>,
    args: TailArgs,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    // Without a record the server is shutting down, which the tail tells the reader as it should be told.
    let record = await_created(&state, &id, patience(&args.credential)?).await?;
    let framing =
        record.map_or(TailFraming::Events, |record| TailFraming::MasterMode { owner: record.owner_id });
    let request = TailRequest::of_stream(args, Generations::stream_path(&id));
    respond(&state, TailRequest { framing, ..request }).await
}

/// A ticket is made for what is there, so nobody who has one came too early.
fn patience(credential: &StreamCredential) -> Result<Duration, Problem> {
    match credential {
        StreamCredential::Principal(Principal::Anonymous) => Err(ErrorCode::Unauthenticated.into()),
        StreamCredential::Principal(Principal::User(_) | Principal::Service(_)) => Ok(PATIENCE),
        StreamCredential::Ticket(_) | StreamCredential::FeedCookie(_) => Ok(Duration::ZERO),
    }
}

/// The record once it is there; `None` when the server shuts down meanwhile.
async fn await_created(
    state: &AppState,
    id: &GenerationId,
    patience: Duration,
) -> Result<Option<Generation>, Problem> {
    let deadline = Instant::now() + patience;
    loop {
        if state.is_draining() {
            return Ok(None);
        }
        if let Some(found) = state.generations().lookup(id).await? {
            return Ok(Some(found));
        }
        let now = Instant::now();
        if now >= deadline {
            return Err(absent());
        }
        tokio::select! {
            () = sleep_until(deadline.min(now + LOOK_EVERY)) => {}
            () = state.shutdown().cancelled() => {}
        }
    }
}
