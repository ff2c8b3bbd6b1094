//! "Blog writing over documents": `POST /api/v1/blog/generate`, a generation of framework `blog`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidegate_gate::Principal;
use tidegate_generations::New;
use tidegate_types::GenerationId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::conversations::own;
use crate::credential::Someone;
use crate::extract::JsonBody;
use crate::generations::{GenerationView, acts_for};
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable, same_body};

const FRAMEWORK: &str = "blog";
const ROUTE: &str = "POST /api/v1/blog/generate";

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(generate))
}

/// What the article is to be.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct BlogBody {
    /// What is asked for.
    prompt: String,
    /// Its name for people.
    title: Option<String>,
    /// The conversation whose documents it is about, unless it names its own.
    session_id: Option<String>,
    /// The documents that it is about.
    document_ids: Option<Vec<String>>,
}

/// An article under way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlogStarted {
    #[serde(flatten)]
    record: GenerationView,
    /// The same as `id`.
    #[schema(value_type = String)]
    generation_id: GenerationId,
}

/// Makes an article over documents. Record and stream exist before the answer.
#[utoipa::path(
    post, path = "/api/v1/blog/generate", tag = "existing front ends", operation_id = "generateBlog",
    request_body = BlogBody,
    responses(
        (status = 201, description = "Under way", body = BlogStarted),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn generate(
    State(state): State<AppState>,
    Someone(caller): Someone,
    headers: HeaderMap,
    JsonBody(body): JsonBody<BlogBody>,
) -> Result<Response, Problem> {
    let owner = acts_for(&caller)?;
    let same = same_body(&body);
    let new = body.into_new(&state, &caller).await?;
    let generations = state.generations().clone();
    let work = || async move {
        let record = generations.create(owner, new).await?.record;
        let location = format!("/api/v1/generations/{}", record.id);
        let generation_id = record.id.clone();
        let started = BlogStarted { record: record.into(), generation_id };
        Ok((StatusCode::CREATED, [(LOCATION, location)], Json(started)).into_response())
    };
    idempotent(&state, &caller, ROUTE, &headers, &same, work).await
}

impl BlogBody {
    async fn into_new(self, state: &AppState, caller: &Principal) -> Result<New, Problem> {
        let mut document_ids = self.document_ids.unwrap_or_default();
        let mut options = Map::new();
        if let Some(id) = self.session_id.filter(|id| !id.is_empty()) {
            let conversation = own(state, caller, &id).await?;
            if document_ids.is_empty() {
                document_ids = conversation.document_ids.iter().map(ToString::to_string).collect();
            }
            options.insert("session_id".to_owned(), json!(conversation.id) as Value);
        }
        Ok(New {
            title: self.title,
            prompt: self.prompt,
            framework: FRAMEWORK.to_owned(),
            options,
            document_ids,
            ..New::default()
        })
    }
}
