//! `POST /api/v1/generations`: a record and its stream, before the answer that names them.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_generations::{Created, New};
use tidegate_types::{ErrorCode, GenerationId};
use utoipa::ToSchema;

use super::access::acts_for;
use super::view::GenerationView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::JsonBody;
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::wire::{Conflicting, Refused, Unprocessable, same_body};

/// What is to be generated.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct NewGenerationBody {
    /// The client's own id, `[A-Za-z0-9_-]{1,64}`; else the server makes one.
    id: Option<String>,
    /// Its name for people.
    title: Option<String>,
    /// What is asked for.
    prompt: String,
    /// Its kind: a framework of the server's configuration.
    framework: String,
    /// Further wishes, as the framework knows them.
    #[schema(value_type = Option<Object>)]
    options: Option<Map<String, Value>>,
    /// The documents that it is about.
    document_ids: Option<Vec<String>>,
    /// How many attempts there may be; else the server's default.
    max_attempts: Option<u32>,
}

/// Creates a generation.
#[utoipa::path(
    post, path = "/api/v1/generations", tag = "generations", operation_id = "createGeneration",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again, for 24 h")),
    request_body = NewGenerationBody,
    responses(
        (status = 201, description = "Created; the stream holds its first event", body = GenerationView),
        (status = 200, description = "The same id, owner and body were there before", body = GenerationView),
        Refused, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    Someone(caller): Someone,
    headers: HeaderMap,
    JsonBody(body): JsonBody<NewGenerationBody>,
) -> Result<Response, Problem> {
    let owner = acts_for(&caller)?;
    let (same, new) = (same_body(&body), New::try_from(body)?);
    let generations = state.generations().clone();
    let work = || async move { Ok(answer(generations.create(owner, new).await?)) };
    idempotent(&state, &caller, "POST /api/v1/generations", &headers, &same, work).await
}

impl TryFrom<NewGenerationBody> for New {
    type Error = Problem;

    fn try_from(body: NewGenerationBody) -> Result<Self, Problem> {
        Ok(Self {
            id: body.id.as_deref().map(|id| client_id(id, "/id")).transpose()?,
            title: body.title,
            prompt: body.prompt,
            framework: body.framework,
            options: body.options.unwrap_or_default(),
            document_ids: body.document_ids.unwrap_or_default(),
            max_attempts: body.max_attempts,
        })
    }
}

/// Reads an id that a client chose.
///
/// # Errors
/// 422, naming the field.
pub(crate) fn client_id(text: &str, pointer: &str) -> Result<GenerationId, Problem> {
    const RULE: &str = "an id is 1 to 64 of `A-Z a-z 0-9 _ -`";
    text.parse()
        .map_err(|_| Problem::new(ErrorCode::ValidationFailed).detail(RULE).field(pointer, "invalid", RULE))
}

/// 201 with where the record is, or 200 when it was there before.
fn answer(created: Created) -> Response {
    let status = if created.existed { StatusCode::OK } else { StatusCode::CREATED };
    let location = format!("/api/v1/generations/{}", created.record.id);
    (status, [(LOCATION, location)], Json(GenerationView::from(created.record))).into_response()
}
