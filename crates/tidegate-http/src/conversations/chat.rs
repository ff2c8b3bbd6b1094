//! `POST /api/v1/documents/{id}/chat/stream`: a question over one document; always streams.

use axum::extract::State;
use axum::response::Response;
use tidegate_gate::Principal;
use tidegate_types::ConversationId;

use super::answer::{Asking, Question, Reading, answer_turn};
use super::ask::TurnBody;
use super::mode::BusyQuery;
use crate::AppState;
use crate::credential::Someone;
use crate::documents;
use crate::extract::{JsonBody, Path, Query};
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable, same_body};

/// Asks a question over one document, in that document's own conversation.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/chat/stream", tag = "conversations", operation_id = "askDocument",
    params(("id" = String, Path, description = "The document"), BusyQuery),
    request_body = TurnBody,
    responses(
        (status = 200, description = "The answer as server-sent events", content_type = "text/event-stream", body = String),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn chat(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    Query(query): Query<BusyQuery>,
    reading: Reading,
    JsonBody(body): JsonBody<TurnBody>,
) -> Result<Response, Problem> {
    let conversation = chat_of(&state, &caller, &id).await?;
    let same = same_body(&(conversation, &query, &body));
    let asking = Asking::New(body.read(query.read()?)?);
    let question = Question { route: "POST /api/v1/documents/{id}/chat/stream", conversation, asking, same };
    answer_turn(&state, &caller, reading.streamed(), question).await
}

/// The conversation of a document's own chat.
///
/// # Errors
/// 401, 403 or 404.
pub(crate) async fn chat_of(
    state: &AppState,
    caller: &Principal,
    document: &str,
) -> Result<ConversationId, Problem> {
    let document = documents::own(state, caller, document).await?;
    Ok(state.conversations().chat_of(document.owner_id, document.id).await?.id)
}
