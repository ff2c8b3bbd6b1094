//! `POST /api/v1/work/claim`: the oldest fitting generation, for one worker at a time.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tidegate_gate::ServicePrincipal;
use tidegate_generations::{Claim, Claimed};
use tidegate_types::Limits;
use utoipa::ToSchema;

use super::lease::Worker;
use crate::AppState;
use crate::extract::JsonBody;
use crate::generations::{GenerationView, client_id};
use crate::problem::Problem;
use crate::wire::{Refused, Unprocessable, wait_seconds};

const LEASE_SECONDS_DEFAULT: u64 = 60;

/// A worker's wish for work.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ClaimBody {
    /// What the worker can run; may be left out with `id`.
    #[serde(default)]
    frameworks: Vec<String>,
    /// How long it keeps the lease without a word, 5 to 600 s; 60 by default.
    lease_seconds: Option<u64>,
    /// Seconds to wait for work, 0 to 30.
    wait: Option<u64>,
    /// Only this one.
    id: Option<String>,
    /// The worker's name, for people; the key's name by default.
    worker: Option<String>,
}

/// Work, and the secret that goes with each report on it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimedView {
    /// What to do.
    generation: GenerationView,
    /// Goes into `Tidegate-Lease` of each report.
    lease_token: String,
    /// Which claim of this generation it is, from 1.
    epoch: u64,
}

/// Claims a generation.
#[utoipa::path(
    post, path = "/api/v1/work/claim", tag = "work", operation_id = "claimWork", request_body = ClaimBody,
    responses(
        (status = 200, description = "Work", body = ClaimedView),
        (status = 204, description = "Nothing to do"),
        Refused, Unprocessable,
    )
)]
pub(crate) async fn claim(
    State(state): State<AppState>,
    Worker(key): Worker,
    JsonBody(body): JsonBody<ClaimBody>,
) -> Result<Response, Problem> {
    let claim = body.for_key(&key, state.limits())?;
    let claimed = state.generations().claim_until(claim, state.shutdown()).await?;
    Ok(claimed.map_or_else(
        || StatusCode::NO_CONTENT.into_response(),
        |work| Json(ClaimedView::from(work)).into_response(),
    ))
}

impl ClaimBody {
    fn for_key(self, key: &ServicePrincipal, limits: &Limits) -> Result<Claim, Problem> {
        Ok(Claim {
            worker: self.worker.unwrap_or_else(|| key.name.to_string()),
            key_id: key.key_id,
            owner: key.owner,
            frameworks: self.frameworks,
            lease: Duration::from_secs(self.lease_seconds.unwrap_or(LEASE_SECONDS_DEFAULT)),
            wait: wait_seconds(limits, self.wait)?,
            id: self.id.as_deref().map(|id| client_id(id, "/id")).transpose()?,
        })
    }
}

impl From<Claimed> for ClaimedView {
    fn from(work: Claimed) -> Self {
        Self {
            generation: work.generation.into(),
            lease_token: work.lease_token.reveal().to_owned(),
            epoch: work.epoch,
        }
    }
}
