//! `GET /api/v1/admin/audit/verify`: whether the audit is as it was written.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_gate::{AuditVerdict, GateError};
use utoipa::ToSchema;

use crate::AppState;
use crate::credential::Admin;
use crate::problem::Problem;
use crate::wire::Refused;

/// What a walk along the whole chain found.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct VerdictView {
    /// `intact` or `broken`.
    verdict: &'static str,
    /// How many rows there are, if intact.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    /// The number of the last row, if intact.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    /// The first row that does not fit, if broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// What does not fit, if broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Walks the whole chain of the audit.
#[utoipa::path(
    get, path = "/api/v1/admin/audit/verify", tag = "admin", operation_id = "verifyAudit",
    responses(
        (status = 200, description = "The verdict; a broken chain is a finding, not a failure", body = VerdictView),
        Refused,
    )
)]
pub(crate) async fn verify_audit(
    State(state): State<AppState>,
    _: Admin,
) -> Result<Json<VerdictView>, Problem> {
    let verdict = state.gate().verify_audit().await.map_err(GateError::from)?;
    Ok(Json(verdict.into()))
}

impl From<AuditVerdict> for VerdictView {
    fn from(verdict: AuditVerdict) -> Self {
        match verdict {
            AuditVerdict::Intact { rows, head } => {
                Self { verdict: "intact", rows: Some(rows), head: Some(head), ..Self::default() }
            }
            AuditVerdict::Broken { seq, reason } => {
                Self { verdict: "broken", seq: Some(seq), reason: Some(reason), ..Self::default() }
            }
        }
    }
}
