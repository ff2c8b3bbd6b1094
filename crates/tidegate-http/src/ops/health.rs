//! Probes: is the process alive, and can it serve?
//!
//! Owns: `/healthz` and `/readyz`.
//! Must not: say which dependency failed to anyone but the log.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_types::ErrorCode;

use crate::AppState;
use crate::problem::{Problem, ProblemBody};

/// A probe that waits longer tells as much as one that fails.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// What a probe is told when all is well.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// Whether the process runs.
#[utoipa::path(get, path = "/healthz", tag = "operations", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether requests can be served: the database answers, and the server is not shutting down.
#[utoipa::path(
    get, path = "/readyz", tag = "operations", security(()),
    responses((status = 200, body = Health), (status = 503, body = ProblemBody, content_type = "application/problem+json"))
)]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    if state.is_leaving() {
        return Err(ErrorCode::Draining.into());
    }
    let checked = tokio::time::timeout(CHECK_WITHIN, state.db_check().check()).await;
    match checked.unwrap_or_else(|_| Err("the database did not answer in time".to_owned())) {
        Ok(()) => Ok(Json(Health { status: "ready" })),
        Err(reason) => {
            tracing::warn!(error.message = %reason, "not ready");
            Err(ErrorCode::DatabaseUnavailable.into())
        }
    }
}
