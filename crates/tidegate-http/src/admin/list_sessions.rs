//! `GET /api/v1/admin/users/{id}/sessions`: where somebody is signed in.

use axum::extract::State;
use serde::Serialize;
use tidegate_gate::Session;
use tidegate_types::{ErrorCode, SessionId, Timestamp, UserId};
use utoipa::ToSchema;

use crate::AppState;
use crate::credential::Admin;
use crate::extract::{Page, Path};
use crate::problem::Problem;
use crate::wire::{Missing, Refused};

/// A signed-in browser or device of a user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserSessionView {
    #[schema(value_type = String)]
    id: SessionId,
    /// `token` or `cookie`.
    kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// To the minute.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    user_agent: Option<String>,
    address: Option<String>,
}

/// Lists the live sessions of a user.
#[utoipa::path(
    get, path = "/api/v1/admin/users/{id}/sessions", tag = "admin", operation_id = "listUserSessions",
    params(("id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, body = Page<UserSessionView>),
        Refused,
        Missing,
    )
)]
pub(crate) async fn list_sessions(
    State(state): State<AppState>,
    _: Admin,
    Path(id): Path<UserId>,
) -> Result<Page<UserSessionView>, Problem> {
    state.gate().lookup_user(id).await?.ok_or(ErrorCode::NotFound)?;
    let found = state.gate().list_sessions(id).await?;
    Ok(Page { items: found.into_iter().map(UserSessionView::from).collect(), next_cursor: None })
}

impl From<Session> for UserSessionView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            kind: session.kind,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            user_agent: session.user_agent,
            address: session.address,
        }
    }
}
