//! `POST /api/v1/conversations/{id}/turns/{turn}/regenerate`: the same question again, beside it.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{own, parse_turn};
use super::answer::{Asking, Question, Reading, answer_turn};
use super::mode::BusyQuery;
use super::view::TurnView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{OptionalJson, Path, Query};
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable, same_body};

/// Who is to answer this time.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct AgainBody {
    /// `extractive` or `openai`; without a name, the server's first choice.
    answerer: Option<String>,
}

/// Asks a turn's question again; the new turn is its sibling and both stay.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/regenerate", tag = "conversations",
    operation_id = "regenerateTurn",
    params(
        ("id" = String, Path, description = "The conversation"),
        ("turn" = String, Path, description = "The turn"), BusyQuery,
    ),
    request_body = AgainBody,
    responses(
        (status = 200, description = "The answer as server-sent events", content_type = "text/event-stream", body = String),
        (status = 202, description = "Taken; `Location` is the stream of the answer", body = TurnView),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn regenerate(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path((id, turn)): Path<(String, String)>,
    Query(query): Query<BusyQuery>,
    reading: Reading,
    OptionalJson(body): OptionalJson<AgainBody>,
) -> Result<Response, Problem> {
    let conversation = own(&state, &caller, &id).await?.id;
    let turn = parse_turn(&turn)?;
    let same = same_body(&(conversation, turn, &query, &body));
    let asking = Asking::Again { turn, answerer: body.answerer, if_busy: query.read()? };
    let route = "POST /api/v1/conversations/{id}/turns/{turn}/regenerate";
    answer_turn(&state, &caller, reading, Question { route, conversation, asking, same }).await
}
