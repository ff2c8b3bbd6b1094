//! "Master mode": a form makes a video story, a page watches it with a session cookie.
//!
//! Owns: `/api/master-mode` and `/api/generations`.
//! Must not: let nobody in, or answer 404 while the page's own `POST` is still under way.

mod generate;
mod progress;
mod record;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(generate::generate))
        .routes(routes!(progress::progress))
        .routes(routes!(record::record))
}
