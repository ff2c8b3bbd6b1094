//! `POST …/stream-token` of both families: a ticket and the path of the same family.

use axum::Json;
use axum::extract::State;

use crate::AppState;
use crate::credential::{Facts, Someone};
use crate::extract::Path;
use crate::generations::{StreamTokenView, mint_token};
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Mints a ticket for the stream of a generation.
#[utoipa::path(
    post, path = "/generations/{id}/stream-token", tag = "existing front ends", operation_id = "mintCodeToken",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The ticket, shown once", body = StreamTokenView), Refused, Missing)
)]
pub(crate) async fn token(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Facts(facts): Facts,
    Path(id): Path<String>,
) -> Result<Json<StreamTokenView>, Problem> {
    mint_token(&state, &caller, &facts, &id, |id| format!("/generations/{id}/stream")).await.map(Json)
}

/// Mints a ticket for the stream of a generation.
#[utoipa::path(
    post, path = "/generations/generate/{id}/stream-token", tag = "existing front ends",
    operation_id = "mintCodeTokenOfGenerate",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The ticket, shown once", body = StreamTokenView), Refused, Missing)
)]
pub(crate) async fn token_of_generate(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Facts(facts): Facts,
    Path(id): Path<String>,
) -> Result<Json<StreamTokenView>, Problem> {
    mint_token(&state, &caller, &facts, &id, |id| format!("/generations/generate/{id}/stream"))
        .await
        .map(Json)
}
