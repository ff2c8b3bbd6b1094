//! `GET /api/generations/{id}`: the record in this front end's words.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;
use tidegate_generations::Generation;
use tidegate_types::UserId;
use utoipa::ToSchema;

use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Path, Query};
use crate::framing::{master_mode_status, percent};
use crate::generations::{Asked, GenerationView, LookupQuery, answer};
use crate::problem::Problem;
use crate::wire::{Missing, Mistaken, Refused};

/// A story: `pending` reads `processing`, `progress` is 0 to 100.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoryView {
    #[serde(flatten)]
    record: GenerationView,
    /// Whose it is.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// What it does now: the same as `message`.
    current_step: Option<String>,
}

/// Answers the record of a story.
#[utoipa::path(
    get, path = "/api/generations/{id}", tag = "existing front ends", operation_id = "getStory",
    params(
        ("id" = String, Path, description = "Its id"), LookupQuery,
        ("If-None-Match" = Option<String>, Header, description = "The ETag that the caller has"),
    ),
    responses(
        (status = 200, description = "The record", body = StoryView),
        (status = 304, description = "Unchanged"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn record(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    Query(query): Query<LookupQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&state, &caller, &id, &Asked { query, headers }, StoryView::from).await
}

impl From<Generation> for StoryView {
    fn from(mut record: Generation) -> Self {
        record.status = master_mode_status(record.status);
        record.progress = percent(record.progress);
        let (user_id, current_step) = (record.owner_id, record.message.clone());
        Self { record: record.into(), user_id, current_step }
    }
}
