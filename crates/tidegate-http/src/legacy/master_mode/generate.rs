//! `POST /api/master-mode/generate-story`: a form, or the same as JSON.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_generations::New;
use tidegate_types::GenerationId;
use utoipa::ToSchema;

use crate::AppState;
use crate::credential::Someone;
use crate::extract::FormOrJson;
use crate::framing::master_mode_status;
use crate::generations::{acts_for, client_id};
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::wire::{Conflicting, Refused, Unprocessable, same_body};

const FRAMEWORK: &str = "master_mode";
const TITLE: &str = "Master Mode Video";
const ROUTE: &str = "POST /api/master-mode/generate-story";

/// What the story is to be.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct StoryBody {
    /// What is asked for.
    prompt: String,
    /// Its name for people; "Master Mode Video" without one.
    title: Option<String>,
    /// The page's own id, so that it can open the stream before this answer comes.
    client_generation_id: Option<String>,
    /// All other fields.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    options: Map<String, Value>,
}

/// A story under way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoryStarted {
    /// Its id; the page's own if it sent one.
    #[schema(value_type = String)]
    generation_id: GenerationId,
    /// `processing`.
    status: &'static str,
}

/// Makes a story. Record and stream exist before the answer.
#[utoipa::path(
    post, path = "/api/master-mode/generate-story", tag = "existing front ends", operation_id = "generateStory",
    request_body(content(
        (StoryBody = "multipart/form-data"), (StoryBody = "application/x-www-form-urlencoded"),
        (StoryBody = "application/json"),
    )),
    responses(
        (status = 200, description = "Under way", body = StoryStarted),
        Refused, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn generate(
    State(state): State<AppState>,
    Someone(caller): Someone,
    headers: HeaderMap,
    FormOrJson(body): FormOrJson<StoryBody>,
) -> Result<Response, Problem> {
    let owner = acts_for(&caller)?;
    let (same, new) = (same_body(&body), New::try_from(body)?);
    let generations = state.generations().clone();
    let work = || async move {
        let record = generations.create(owner, new).await?.record;
        let status = master_mode_status(record.status).as_str();
        Ok(Json(StoryStarted { generation_id: record.id, status }))
    };
    idempotent(&state, &caller, ROUTE, &headers, &same, work).await
}

impl TryFrom<StoryBody> for New {
    type Error = Problem;

    fn try_from(body: StoryBody) -> Result<Self, Problem> {
        // A form sends an untouched field as an empty one.
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let id = given(body.client_generation_id);
        Ok(Self {
            id: id.as_deref().map(|id| client_id(id, "/client_generation_id")).transpose()?,
            title: Some(given(body.title).unwrap_or_else(|| TITLE.to_owned())),
            prompt: body.prompt,
            framework: FRAMEWORK.to_owned(),
            options: body.options,
            ..Self::default()
        })
    }
}
