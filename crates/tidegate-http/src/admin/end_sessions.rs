//! `DELETE /api/v1/admin/users/{id}/sessions`: signs somebody out everywhere.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_gate::Actor;
use tidegate_types::{ErrorCode, UserId};
use utoipa::ToSchema;

use crate::AppState;
use crate::credential::Admin;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// What was ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionsEnded {
    /// How many sessions were live.
    ended: usize,
}

/// Ends all sessions of a user; their streams end within a second, on every node.
#[utoipa::path(
    delete, path = "/api/v1/admin/users/{id}/sessions", tag = "admin", operation_id = "endUserSessions",
    params(("id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, body = SessionsEnded),
        Refused,
        Missing,
    )
)]
pub(crate) async fn end_sessions(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Path(id): Path<UserId>,
) -> Result<Json<SessionsEnded>, Problem> {
    state.gate().lookup_user(id).await?.ok_or(ErrorCode::NotFound)?;
    let ended = state.gate().end_all_sessions(id, Actor::User(admin.user_id)).await?;
    Ok(Json(SessionsEnded { ended }))
}
