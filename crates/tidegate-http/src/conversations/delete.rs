//! `DELETE /api/v1/conversations/{id}`: it and its streams are gone; open tails end.

use axum::extract::State;
use http::StatusCode;

use super::access::own;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Deletes a conversation with its turns.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}", tag = "conversations", operation_id = "deleteConversation",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "Gone; its open streams end with `deleted`"), Refused, Missing)
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let conversation = own(&state, &caller, &id).await?;
    state.conversations().delete(conversation.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
