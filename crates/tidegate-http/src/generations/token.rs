//! `POST /api/v1/generations/{id}/stream-token`: a ticket for readers that can send no header.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_gate::{ClientFacts, Principal, StreamKind};
use tidegate_generations::Generations;
use tidegate_types::GenerationId;
use utoipa::ToSchema;

use super::access::parse_id;
use crate::AppState;
use crate::credential::{Facts, Someone};
use crate::extract::Path;
use crate::problem::Problem;
use crate::tickets;
use crate::wire::{Missing, Refused};

/// A ticket for one stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamTokenView {
    /// Goes into the URL as `token`, `ticket` or `sse_token`; opens the stream once.
    sse_token: String,
    /// Seconds until it can't be spent any more.
    expires_in: u64,
    /// The path to open with it.
    stream_url: String,
    /// The generation.
    #[schema(value_type = String)]
    generation_id: GenerationId,
}

/// Mints a ticket for the stream of a generation.
#[utoipa::path(
    post, path = "/api/v1/generations/{id}/stream-token", tag = "generations", operation_id = "mintStreamToken",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The ticket, shown once", body = StreamTokenView), Refused, Missing)
)]
pub(crate) async fn token(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Facts(facts): Facts,
    Path(id): Path<String>,
) -> Result<Json<StreamTokenView>, Problem> {
    let url = |id: &GenerationId| format!("/api/v1/generations/{id}/stream");
    mint_token(&state, &caller, &facts, &id, url).await.map(Json)
}

/// Mints a ticket for the stream of a generation that is opened at `url`.
///
/// # Errors
/// 401, 403, 404, or 429 when too many were asked for.
pub(crate) async fn mint_token(
    state: &AppState,
    caller: &Principal,
    facts: &ClientFacts,
    id: &str,
    url: impl Fn(&GenerationId) -> String + Send,
) -> Result<StreamTokenView, Problem> {
    let generation_id = parse_id(id)?;
    let path = Generations::stream_path(&generation_id);
    let ticket = tickets::mint(state, caller, &path, StreamKind::Stream, facts).await?;
    Ok(StreamTokenView {
        sse_token: ticket.secret.reveal().to_owned(),
        expires_in: ticket.expires_in,
        stream_url: url(&generation_id),
        generation_id,
    })
}
