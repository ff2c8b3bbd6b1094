//! `DELETE /api/v1/admin/connections/{id}`: ends one live connection of this node.
//!
//! It ends with `revoked`, so that clients that know the word stay away. What opened it stays good:
//! a browser's own reader may come back. To keep somebody out, end their sessions.

use axum::extract::State;
use http::StatusCode;
use serde_json::json;
use tidegate_gate::{Actor, AuditEvent, AuditKind, ConnectionFilter, ConnectionInfo, EndReason};
use tidegate_types::{ConnectionId, ErrorCode};

use crate::AppState;
use crate::credential::{Admin, Facts};
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// Ends a live connection of this node; its last event is `tidegate.end` with `revoked`.
#[utoipa::path(
    delete, path = "/api/v1/admin/connections/{id}", tag = "admin", operation_id = "endConnection",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "Told to end"),
        Refused,
        Missing,
    )
)]
pub(crate) async fn disconnect(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Facts(facts): Facts,
    Path(id): Path<ConnectionId>,
) -> Result<StatusCode, Problem> {
    let found = state.gate().connections(&ConnectionFilter::default()).into_iter().find(|one| one.id == id);
    let found = found.ok_or(ErrorCode::NotFound)?;
    if !state.gate().disconnect(id, EndReason::Revoked) {
        return Err(ErrorCode::NotFound.into());
    }
    let event = AuditEvent::new(AuditKind::Admin, Actor::User(admin.user_id))
        .from_client(&facts)
        .subject(subject(&found))
        .stream(&found.stream)
        .detail(json!({ "action": "disconnect", "connection": id }));
    state.gate().audit(event).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose connection it was, so that the audit of a user shows it.
fn subject(info: &ConnectionInfo) -> String {
    match (info.user_id, info.key_id) {
        (Some(user), _) => user.to_string(),
        (None, Some(key)) => key.to_string(),
        (None, None) => info.id.to_string(),
    }
}
