//! `POST /api/v1/generations/{id}/fail`: the end, or another attempt while some are left.

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

/// What went wrong.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct FailBody {
    /// `{code, message, …}`, or a sentence.
    error: Value,
    /// Whether another attempt may help.
    #[serde(default)]
    retryable: bool,
}

/// Ends a generation with an error, or puts it back.
#[utoipa::path(
    post, path = "/api/v1/generations/{id}/fail", tag = "work", operation_id = "failGeneration",
    params(
        ("id" = String, Path, description = "The claimed generation"),
        ("Tidegate-Lease" = String, Header, description = "The claim's `lease_token`"),
        ("webhook-id" = Option<String>, Header, description = "Standard Webhooks; needed where signatures are required"),
        ("webhook-timestamp" = Option<String>, Header, description = "Unix seconds"),
        ("webhook-signature" = Option<String>, Header, description = "`v1,` and the HMAC-SHA256 of `id.timestamp.body`"),
    ),
    request_body = FailBody,
    responses(
        (status = 200, description = "`failed`, or `pending` again with the next `attempt`", body = GenerationView),
        Refused, Missing, Conflicting, Unprocessable,
    )
)]
pub(crate) async fn fail(
    State(state): State<AppState>,
    held: Held,
    signed: Signed,
) -> Result<Json<GenerationView>, Problem> {
    let body: FailBody = signed.verify(&state, &held.key).await?;
    let record =
        state.generations().fail(&held.id, held.lease.expose_secret(), body.error, body.retryable).await?;
    Ok(Json(record.into()))
}
