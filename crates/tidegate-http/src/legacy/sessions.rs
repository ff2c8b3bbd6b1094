//! "Blog writing over documents": conversations under the name of sessions.
//!
//! Owns: `/api/v1/sessions` and the second spelling of their ids.
//! Must not: be mistaken for where somebody is signed in (`/api/v1/auth/sessions`).

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;
use tidegate_types::ConversationId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::conversations::{
    ConversationView, ConversationWithTurns, NewConversationBody, create_as, own, with_turns,
};
use crate::credential::Someone;
use crate::extract::{OptionalJson, PageArgs, Path};
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Mistaken, PageParams, Refused, Unprocessable};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(lookup))
}

/// A conversation as these pages know it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    #[serde(flatten)]
    conversation: ConversationWithTurns,
    /// The same as `id`.
    #[schema(value_type = String)]
    session_id: ConversationId,
}

/// Makes a conversation.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "existing front ends", operation_id = "createSession",
    request_body = NewConversationBody,
    responses(
        (status = 201, description = "It is there", body = ConversationView),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    Someone(caller): Someone,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson<NewConversationBody>,
) -> Result<Response, Problem> {
    create_as(&state, &caller, &headers, body, "POST /api/v1/sessions").await
}

/// Answers a conversation with its turns.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", tag = "existing front ends", operation_id = "lookupSession",
    params(("id" = String, Path, description = "Its id"), PageParams),
    responses((status = 200, description = "The conversation", body = SessionView), Refused, Missing, Mistaken)
)]
pub(crate) async fn lookup(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    page: PageArgs,
) -> Result<Json<SessionView>, Problem> {
    let conversation = own(&state, &caller, &id).await?;
    let session_id = conversation.id;
    let conversation = with_turns(&state, conversation, &page).await?;
    Ok(Json(SessionView { conversation, session_id }))
}
