//! `POST /api/v1/conversations/{id}/turns`: a question; its answer streams in this response.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tidegate_documents::{Ask, IfBusy};
use tidegate_types::ErrorCode;
use utoipa::ToSchema;

use super::access::own;
use super::answer::{Asking, Question, Reading, answer_turn};
use super::mode::BusyQuery;
use super::view::TurnView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{JsonBody, Path, Query};
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable, same_body};

/// A question.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct TurnBody {
    /// What is asked.
    pub(crate) message: String,
    /// The turn that it follows; without one, the newest.
    #[serde(default)]
    pub(crate) parent_id: Option<String>,
    /// Who is to answer: `extractive` or `openai`; without a name, the server's first choice.
    #[serde(default)]
    pub(crate) answerer: Option<String>,
}

/// Asks a question.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns", tag = "conversations", operation_id = "ask",
    params(
        ("id" = String, Path, description = "The conversation"), BusyQuery,
        ("Prefer" = Option<String>, Header, description = "`respond-async`: 202 with the place of the stream, as with `Accept: application/json`"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body read the first answer again, for 24 h"),
    ),
    request_body = TurnBody,
    responses(
        (status = 200, description = "The answer as server-sent events", content_type = "text/event-stream", body = String),
        (status = 202, description = "Taken; `Location` is the stream of the answer", body = TurnView),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn ask(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    Query(query): Query<BusyQuery>,
    reading: Reading,
    JsonBody(body): JsonBody<TurnBody>,
) -> Result<Response, Problem> {
    let conversation = own(&state, &caller, &id).await?.id;
    let same = same_body(&(conversation, &query, &body));
    let asking = Asking::New(body.read(query.read()?)?);
    let question = Question { route: "POST /api/v1/conversations/{id}/turns", conversation, asking, same };
    answer_turn(&state, &caller, reading, question).await
}

impl TurnBody {
    /// The question in the domain's words.
    ///
    /// # Errors
    /// The turn to follow can't exist.
    pub(crate) fn read(self, if_busy: IfBusy) -> Result<Ask, Problem> {
        let parent = self.parent_id.as_deref().map(str::parse::<u32>).transpose().map_err(|_| {
            let problem = Problem::new(ErrorCode::ValidationFailed);
            problem.field("/parent_id", "invalid", "is no turn of this conversation")
        })?;
        Ok(Ask { message: self.message, parent, answerer: self.answerer, if_busy })
    }
}
