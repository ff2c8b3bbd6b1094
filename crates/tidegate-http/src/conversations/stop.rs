//! `POST /api/v1/conversations/{id}/turns/{turn}/stop`: what was written is kept.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::access::{own, parse_turn};
use super::view::TurnView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Stops an answer. One that has ended stays as it is.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/stop", tag = "conversations", operation_id = "stopTurn",
    params(("id" = String, Path, description = "The conversation"), ("turn" = String, Path, description = "The turn")),
    responses((status = 202, description = "The turn as it stands now", body = TurnView), Refused, Missing)
)]
pub(crate) async fn stop(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path((id, turn)): Path<(String, String)>,
) -> Result<(StatusCode, Json<TurnView>), Problem> {
    let conversation = own(&state, &caller, &id).await?;
    let stopped = state.conversations().stop(conversation.id, parse_turn(&turn)?).await?;
    Ok((StatusCode::ACCEPTED, Json(stopped.into())))
}
