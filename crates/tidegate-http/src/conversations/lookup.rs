//! `GET /api/v1/conversations/{id}`: the conversation with its turns.

use axum::Json;
use axum::extract::State;
use tidegate_documents::Conversation;

use super::access::own;
use super::view::{ConversationView, ConversationWithTurns, TurnView};
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{PageArgs, Path};
use crate::problem::Problem;
use crate::wire::{Missing, Mistaken, PageParams, Refused};

/// Answers a conversation with its turns, oldest first; `next_cursor` leads to more of them.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}", tag = "conversations", operation_id = "lookupConversation",
    params(("id" = String, Path, description = "Its id"), PageParams),
    responses(
        (status = 200, description = "The conversation", body = ConversationWithTurns),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn lookup(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    page: PageArgs,
) -> Result<Json<ConversationWithTurns>, Problem> {
    let conversation = own(&state, &caller, &id).await?;
    with_turns(&state, conversation, &page).await.map(Json)
}

/// The conversation with a page of its turns.
///
/// # Errors
/// The cursor is none, or the database can't be read.
pub(crate) async fn with_turns(
    state: &AppState,
    conversation: Conversation,
    page: &PageArgs,
) -> Result<ConversationWithTurns, Problem> {
    let found = state.conversations().turns(conversation.id, page.cursor.as_deref(), page.limit).await?;
    Ok(ConversationWithTurns {
        conversation: ConversationView::from(conversation),
        turns: found.items.into_iter().map(TurnView::from).collect(),
        next_cursor: found.next_cursor,
    })
}
