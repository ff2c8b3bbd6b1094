//! `POST /api/v1/conversations/{id}/turns/{turn}/stream-token`: a ticket for readers that can send
//! no header.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_documents::Conversations;
use tidegate_gate::StreamKind;
use tidegate_types::ConversationId;
use utoipa::ToSchema;

use super::access::{parse_id, parse_turn};
use crate::AppState;
use crate::credential::{Facts, Someone};
use crate::extract::Path;
use crate::problem::Problem;
use crate::tickets;
use crate::wire::{Missing, Refused};

/// A ticket for one answer's stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TurnTokenView {
    /// Goes into the URL as `token`, `ticket` or `sse_token`; opens the stream once.
    sse_token: String,
    /// Seconds until it can't be spent any more.
    expires_in: u64,
    /// The path to open with it.
    stream_url: String,
    /// The conversation.
    #[schema(value_type = String)]
    conversation_id: ConversationId,
    /// The turn.
    turn_id: String,
}

/// Mints a ticket for the stream of an answer.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/stream-token", tag = "conversations",
    operation_id = "mintTurnToken",
    params(("id" = String, Path, description = "The conversation"), ("turn" = String, Path, description = "The turn")),
    responses((status = 200, description = "The ticket, shown once", body = TurnTokenView), Refused, Missing)
)]
pub(crate) async fn token(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Facts(facts): Facts,
    Path((id, turn)): Path<(String, String)>,
) -> Result<Json<TurnTokenView>, Problem> {
    let (conversation_id, number) = (parse_id(&id)?, parse_turn(&turn)?);
    let path = Conversations::stream_path(conversation_id, number);
    let ticket = tickets::mint(&state, &caller, &path, StreamKind::Stream, &facts).await?;
    Ok(Json(TurnTokenView {
        sse_token: ticket.secret.reveal().to_owned(),
        expires_in: ticket.expires_in,
        stream_url: format!("/api/v1/conversations/{conversation_id}/turns/{number}/stream"),
        conversation_id,
        turn_id: number.to_string(),
    }))
}
