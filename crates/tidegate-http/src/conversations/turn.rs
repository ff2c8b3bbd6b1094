//! `GET /api/v1/conversations/{id}/turns/{turn}`: a question with its answer so far.

use axum::Json;
use axum::extract::State;

use super::access::{absent_turn, own, parse_turn};
use super::view::TurnView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Answers a turn, with what was written so far and the position in its stream that this reflects.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/turns/{turn}", tag = "conversations", operation_id = "lookupTurn",
    params(("id" = String, Path, description = "The conversation"), ("turn" = String, Path, description = "The turn")),
    responses((status = 200, description = "The turn", body = TurnView), Refused, Missing)
)]
pub(crate) async fn turn(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path((id, turn)): Path<(String, String)>,
) -> Result<Json<TurnView>, Problem> {
    let conversation = own(&state, &caller, &id).await?;
    let found = state.conversations().turn(conversation.id, parse_turn(&turn)?).await?;
    Ok(Json(found.ok_or_else(absent_turn)?.into()))
}
