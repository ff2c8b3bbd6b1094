//! "Document chat": questions over one document, streamed or whole.
//!
//! Owns: `/documents/{id}/chat…`. Must not: keep a conversation of its own kind: it is the
//! document's, as at `/api/v1/documents/{id}/chat/stream`.

use axum::extract::State;
use axum::response::Response;
use tidegate_documents::IfBusy;
use tidegate_gate::Principal;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::conversations::{
    Asking, Question, Reading, TurnBody, TurnView, answer_turn, answer_whole, chat_of,
};
use crate::credential::Someone;
use crate::extract::{JsonBody, Path};
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable, same_body};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(chat)).routes(routes!(chat_stream))
}

/// Asks a question over one document and answers with the whole answer.
#[utoipa::path(
    post, path = "/documents/{id}/chat", tag = "existing front ends", operation_id = "chatWithDocument",
    params(("id" = String, Path, description = "The document")),
    request_body = TurnBody,
    responses(
        (status = 200, description = "The turn with its answer; or the answer streamed, for those who accept events only", body = TurnView),
        (status = 202, description = "It takes long; `Location` is the stream of the answer", body = TurnView),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn chat(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    reading: Reading,
    JsonBody(body): JsonBody<TurnBody>,
) -> Result<Response, Problem> {
    let question = question(&state, &caller, &id, body, "POST /documents/{id}/chat").await?;
    if reading.wants_events() {
        return answer_turn(&state, &caller, reading, question).await;
    }
    answer_whole(&state, &caller, reading, question).await
}

/// Asks a question over one document and streams the answer.
#[utoipa::path(
    post, path = "/documents/{id}/chat/stream", tag = "existing front ends", operation_id = "streamChatWithDocument",
    params(("id" = String, Path, description = "The document")),
    request_body = TurnBody,
    responses(
        (status = 200, description = "The answer as server-sent events", content_type = "text/event-stream", body = String),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn chat_stream(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    reading: Reading,
    JsonBody(body): JsonBody<TurnBody>,
) -> Result<Response, Problem> {
    let question = question(&state, &caller, &id, body, "POST /documents/{id}/chat/stream").await?;
    answer_turn(&state, &caller, reading.streamed(), question).await
}

async fn question(
    state: &AppState,
    caller: &Principal,
    document: &str,
    body: TurnBody,
    route: &'static str,
) -> Result<Question, Problem> {
    let conversation = chat_of(state, caller, document).await?;
    let same = same_body(&(conversation, &body));
    let asking = Asking::New(body.read(IfBusy::Wait)?);
    Ok(Question { route, conversation, asking, same })
}
