//! `POST /api/v1/generations/{id}/progress`: a worker's report, which also renews its lease.

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_generations::{Progress, Progressed};
use tidegate_types::{ErrorCode, Offset};
use utoipa::ToSchema;

use super::lease::Held;
use crate::AppState;
use crate::extract::JsonBody;
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable};

/// A report. Members besides these are kept and shown as they are; `type` and the names of core
/// fields are refused.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ProgressBody {
    /// What the worker does now; may be left out with `status`.
    stage: Option<String>,
    /// 0 to 1; a lower one than before is raised to it.
    progress: Option<f64>,
    /// A sentence for people.
    message: Option<String>,
    /// `cancelled` ends one whose cancelling was asked for.
    status: Option<String>,
    /// Anything else that the page may want to show.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties)]
    extras: Map<String, Value>,
}

/// The answer to a report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProgressedView {
    /// The position after the report's record.
    #[schema(value_type = String)]
    offset: Offset,
    /// Whether the worker should stop and then report `status: "cancelled"`.
    cancel_requested: bool,
}

/// Reports progress.
#[utoipa::path(
    post, path = "/api/v1/generations/{id}/progress", tag = "work", operation_id = "reportProgress",
    params(
        ("id" = String, Path, description = "The claimed generation"),
        ("Tidegate-Lease" = String, Header, description = "The claim's `lease_token`"),
    ),
    request_body = ProgressBody,
    responses((status = 200, description = "Recorded", body = ProgressedView), Refused, Missing, Conflicting, Unprocessable)
)]
pub(crate) async fn progress(
    State(state): State<AppState>,
    held: Held,
    JsonBody(body): JsonBody<ProgressBody>,
) -> Result<Json<ProgressedView>, Problem> {
    let done = state.generations().progress(&held.id, held.lease.expose_secret(), body.try_into()?).await?;
    Ok(Json(done.into()))
}

impl TryFrom<ProgressBody> for Progress {
    type Error = Problem;

    fn try_from(body: ProgressBody) -> Result<Self, Problem> {
        let stage = match (body.stage, &body.status) {
            (Some(stage), _) => stage,
            (None, Some(status)) => status.clone(),
            (None, None) => {
                let problem = Problem::new(ErrorCode::ValidationFailed).detail("`stage` is missing");
                return Err(problem.field("/stage", "missing", "this member is required"));
            }
        };
        Ok(Self {
            stage,
            progress: body.progress,
            message: body.message,
            status: body.status,
            extras: body.extras,
        })
    }
}

impl From<Progressed> for ProgressedView {
    fn from(done: Progressed) -> Self {
        Self { offset: done.offset, cancel_requested: done.cancel_requested }
    }
}
