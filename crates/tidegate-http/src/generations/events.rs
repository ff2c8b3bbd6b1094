//! `GET /api/v1/generations/{id}/events`: the stream's records by cursor.

use axum::Json;
use axum::extract::State;
use tidegate_events::TypeFilter;
use tidegate_generations::Generations;

use super::access::readable;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::wire::{ItemsQuery, Missing, Mistaken, RecordsPage, Refused, read_records};

/// Answers a piece of a generation's stream.
#[utoipa::path(
    get, path = "/api/v1/generations/{id}/events", tag = "generations", operation_id = "listGenerationEvents",
    params(("id" = String, Path, description = "Its id"), ItemsQuery),
    responses(
        (status = 200, description = "The same records as the stream", body = RecordsPage),
        (status = 409, description = "The cursor is ahead of the stream"),
        (status = 410, description = "What the cursor names was trimmed"),
        Refused, Missing, Mistaken,
    )
)]
pub(crate) async fn events(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    Query(query): Query<ItemsQuery>,
) -> Result<Json<RecordsPage>, Problem> {
    let record = readable(&state, &caller, &id).await?;
    read_records(&state, &Generations::stream_path(&record.id), &query, &TypeFilter::default())
        .await
        .map(Json)
}
