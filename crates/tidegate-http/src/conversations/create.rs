//! `POST /api/v1/conversations`: a conversation over some documents.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_documents::NewConversation;
use tidegate_gate::Principal;
use tidegate_types::ErrorCode;
use utoipa::ToSchema;

use super::view::ConversationView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::OptionalJson;
use crate::generations::acts_for;
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable, same_body};

/// A conversation to be made.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct NewConversationBody {
    /// Its name for people.
    title: Option<String>,
    /// The documents that it is about; none for all of the caller's.
    document_ids: Option<Vec<String>>,
}

/// Makes a conversation.
#[utoipa::path(
    post, path = "/api/v1/conversations", tag = "conversations", operation_id = "createConversation",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again, for 24 h")),
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
    create_as(&state, &caller, &headers, body, "POST /api/v1/conversations").await
}

/// The same for every path that makes conversations.
///
/// # Errors
/// A document is not the caller's, or there are too many of something.
pub(crate) async fn create_as(
    state: &AppState,
    caller: &Principal,
    headers: &HeaderMap,
    body: NewConversationBody,
    route: &'static str,
) -> Result<Response, Problem> {
    let owner = acts_for(caller)?;
    let (same, new) = (same_body(&body), body.read()?);
    let conversations = state.conversations().clone();
    let work = || async move {
        let made = conversations.create(owner, new).await?;
        let location = format!("/api/v1/conversations/{}", made.id);
        Ok::<_, Problem>((StatusCode::CREATED, [(LOCATION, location)], Json(ConversationView::from(made))))
    };
    idempotent(state, caller, route, headers, &same, work).await
}

impl NewConversationBody {
    fn read(self) -> Result<NewConversation, Problem> {
        let mut document_ids = Vec::new();
        for (place, id) in self.document_ids.unwrap_or_default().iter().enumerate() {
            document_ids.push(id.parse().map_err(|_| {
                let problem = Problem::new(ErrorCode::NotFound).detail("One of the documents is not there.");
                problem.field(format!("/document_ids/{place}"), "not-found", "is no document")
            })?);
        }
        Ok(NewConversation { title: self.title, document_ids })
    }
}
