//! Claiming a wake.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_subscriptions::Claimed;

use super::asked::{Asked, AskedBody, Id};
use super::body::StreamBody;
use super::owner::find_own;
use super::refusal::Refusal;
use crate::AppState;
use crate::credential::Caller;
use crate::problem::ProblemBody;

/// Who wants to work.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = WakeClaim)]
pub(super) struct ClaimBody {
    /// The worker's name, which others are told while it holds the lease.
    #[serde(default)]
    worker: String,
}

/// A claimed wake.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ClaimedWake)]
pub(super) struct ClaimedBody {
    wake_id: String,
    generation: u64,
    /// `Authorization: Bearer …` of `ack` and `release`.
    token: String,
    streams: Vec<StreamBody>,
    /// How long the lease lasts; each `ack` begins it anew.
    lease_ttl_ms: u64,
}

impl From<Claimed> for ClaimedBody {
    fn from(claimed: Claimed) -> Self {
        Self {
            wake_id: claimed.wake,
            generation: claimed.generation,
            token: claimed.token.reveal().to_owned(),
            streams: claimed.streams.into_iter().map(StreamBody::from).collect(),
            lease_ttl_ms: u64::try_from(claimed.lease.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Claims the wake of a pull-wake subscription: one worker at a time.
#[utoipa::path(
    post, path = "/v1/stream/__ds/subscriptions/{id}/claim", tag = "subscriptions", request_body = ClaimBody,
    params(("id" = String, Path)),
    responses(
        (status = 200, body = ClaimedBody),
        (status = 400, body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "another worker holds it (`ALREADY_CLAIMED`), or there is nothing to do (`NO_PENDING_WORK`)"),
    )
)]
pub(super) async fn claim_wake(
    State(state): State<AppState>,
    Id(id): Id,
    Asked(Caller(principal)): Asked<Caller>,
    AskedBody(body): AskedBody<ClaimBody>,
) -> Result<Json<ClaimedBody>, Refusal> {
    let subscription = find_own(&state, &principal, &id).await?;
    let claimed = state.subscriptions().claim(subscription.uid, &body.worker).await?;
    Ok(Json(claimed.into()))
}
