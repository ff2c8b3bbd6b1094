//! `POST /api/v1/admin/users/{id}/disable` and `/enable`: who may sign in.

use axum::Json;
use axum::extract::State;
use tidegate_gate::{Actor, UserPrincipal};
use tidegate_types::{ErrorCode, UserId};

use super::user_view::UserView;
use crate::AppState;
use crate::credential::Admin;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::{Conflicting, Missing, Refused};

/// Disables an account: its sessions and streams end within a second, on every node.
#[utoipa::path(
    post, path = "/api/v1/admin/users/{id}/disable", tag = "admin", operation_id = "disableUser",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, body = UserView),
        Refused,
        Missing,
        Conflicting,
    )
)]
pub(crate) async fn disable_user(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Path(id): Path<UserId>,
) -> Result<Json<UserView>, Problem> {
    // The last admin could lock everybody out; another admin, or the command line, can still do it.
    if id == admin.user_id {
        return Err(Problem::new(ErrorCode::Conflict).detail("you can't disable your own account"));
    }
    set_disabled(&state, &admin, id, true).await
}

/// Enables an account again. Its sessions stay ended.
#[utoipa::path(
    post, path = "/api/v1/admin/users/{id}/enable", tag = "admin", operation_id = "enableUser",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, body = UserView),
        Refused,
        Missing,
    )
)]
pub(crate) async fn enable_user(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Path(id): Path<UserId>,
) -> Result<Json<UserView>, Problem> {
    set_disabled(&state, &admin, id, false).await
}

/// The gate writes the audit in the same commit.
async fn set_disabled(
    state: &AppState,
    admin: &UserPrincipal,
    id: UserId,
    disabled: bool,
) -> Result<Json<UserView>, Problem> {
    let user = state.gate().set_disabled(id, disabled, Actor::User(admin.user_id)).await?;
    Ok(Json(user.into()))
}
