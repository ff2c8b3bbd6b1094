//! Whose feed a caller means, and which of its events.

use tidegate_events::TypeFilter;
use tidegate_gate::Principal;
use tidegate_types::{ErrorCode, StreamPath};

use crate::AppState;
use crate::problem::Problem;

/// The feed of a user, or of the user whose key it is; made if it is not there yet.
///
/// # Errors
/// 401 for nobody, 403 for a key that is no user's.
pub(super) async fn feed_of(state: &AppState, principal: &Principal) -> Result<StreamPath, Problem> {
    let user = match principal {
        Principal::User(user) => user.user_id,
        Principal::Service(key) => {
            key.owner.ok_or_else(|| Problem::new(ErrorCode::Forbidden).detail("This key is no user's."))?
        }
        Principal::Anonymous => return Err(ErrorCode::Unauthenticated.into()),
    };
    Ok(state.events().ensure_feed(user).await?.path)
}

/// Reads `types`; none lets every type through.
///
/// # Errors
/// 400 for a malformed filter.
pub(super) fn types(text: Option<&str>) -> Result<TypeFilter, Problem> {
    text.filter(|text| !text.is_empty()).map_or_else(|| Ok(TypeFilter::default()), |text| Ok(text.parse()?))
}
