//! API keys: `/api/v1/keys`.
//!
//! Owns: the paths of this area, and who may make which key.
//! Must not: keep or log a secret; the answer of the creation shows it once.

mod body;
mod create;
mod list;
mod problem;
mod revoke;

use tidegate_gate::{Key, Role, UserPrincipal};
use tidegate_types::{ErrorCode, KeyId, UserId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::problem::Problem;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create_key, list::list_keys))
        .routes(routes!(list::show_key, revoke::revoke_key))
}

/// Whose keys a user sees: admins those of all.
fn seen_by(user: &UserPrincipal) -> Option<UserId> {
    match user.role {
        Role::Admin => None,
        Role::User => Some(user.user_id),
    }
}

/// A key that the user may see; a foreign one is as absent as none.
async fn find(state: &AppState, user: &UserPrincipal, id: KeyId) -> Result<Key, Problem> {
    let key = state.gate().lookup_key(id).await?;
    let seen = key.filter(|key| seen_by(user).is_none_or(|owner| key.owner == Some(owner)));
    seen.ok_or_else(|| ErrorCode::NotFound.into())
}
