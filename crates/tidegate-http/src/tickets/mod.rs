//! Minting of stream tickets.
//!
//! Owns: the paths of this area and how they map onto domain calls.
//! Must not: know SQL, or touch `router.rs` (it merges [`router`] already).

use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
}
