//! `GET /api/v1/events/operations/{id}`: how far a broadcast is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_events::{Operation, OperationState};
use tidegate_types::{ErrorCode, Timestamp};
use utoipa::ToSchema;

use super::publisher::Publisher;
use crate::AppState;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// A broadcast.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationView {
    /// Its id.
    id: String,
    /// The event's type.
    #[serde(rename = "type")]
    event_type: String,
    /// `running` or `done`.
    status: &'static str,
    /// How many users were sent it.
    sent: u64,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the last user was sent it.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

/// Tells how far a broadcast is.
#[utoipa::path(
    get, path = "/api/v1/events/operations/{id}", tag = "events", operation_id = "getOperation",
    params(("id" = String, Path, description = "The `operation_id` of the answer to a broadcast")),
    responses((status = 200, description = "The broadcast", body = OperationView), Refused, Missing)
)]
pub(crate) async fn lookup(
    State(state): State<AppState>,
    _: Publisher,
    Path(id): Path<String>,
) -> Result<Json<OperationView>, Problem> {
    let found = state.events().lookup_operation(&id).await?;
    found.map(|operation| Json(operation.into())).ok_or_else(|| ErrorCode::NotFound.into())
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        Self {
            id: operation.id,
            event_type: operation.event_type.to_string(),
            status: match operation.state {
                OperationState::Running => "running",
                OperationState::Done => "done",
            },
            sent: operation.sent,
            created_at: operation.created_at,
            finished_at: operation.finished_at,
        }
    }
}
