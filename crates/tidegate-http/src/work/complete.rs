//! `POST /api/v1/generations/{id}/complete`: result, terminal event and closed stream, in one step.

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::lease::Held;
use super::signed::Signed;
use crate::AppState;
use crate::generations::GenerationView;
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused, Unprocessable};

/// What came out.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CompleteBody {
    /// Any JSON.
    result: Value,
}

/// Ends a generation with its result.
#[utoipa::path(
    post, path = "/api/v1/generations/{id}/complete", tag = "work", operation_id = "completeGeneration",
    params(
        ("id" = String, Path, description = "The claimed generation"),
        ("Tidegate-Lease" = String, Header, description = "The claim's `lease_token`"),
        ("webhook-id" = Option<String>, Header, description = "Standard Webhooks; needed where signatures are required"),
        ("webhook-timestamp" = Option<String>, Header, description = "Unix seconds"),
        ("webhook-signature" = Option<String>, Header, description = "`v1,` and the HMAC-SHA256 of `id.timestamp.body`"),
    ),
    request_body = CompleteBody,
    responses((status = 200, description = "Completed", body = GenerationView), Refused, Missing, Conflicting, Unprocessable)
)]
pub(crate) async fn complete(
    State(state): State<AppState>,
    held: Held,
    signed: Signed,
) -> Result<Json<GenerationView>, Problem> {
    let body: CompleteBody = signed.verify(&state, &held.key).await?;
    let record = state.generations().complete(&held.id, held.lease.expose_secret(), body.result).await?;
    Ok(Json(record.into()))
}
