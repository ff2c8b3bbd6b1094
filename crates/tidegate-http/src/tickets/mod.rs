//! Minting of stream tickets, for every route that hands one out.
//!
//! Owns: the checks before a mint (the stream is there, the caller may read it) and the feed's cookie.
//! Must not: keep a secret beyond the answer that shows it, or spend one: [`crate::tail`] does.

mod cookie;
mod mint;

use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

pub(crate) use cookie::feed_cookie;
pub(crate) use mint::mint;

/// No paths of its own: each area has its route for tickets and calls [`mint`].
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
}
