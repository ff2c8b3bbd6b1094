//! What workers call: claim, report, end.
//!
//! Owns: `/api/v1/work`, and the reports on a generation that a worker holds.
//! Must not: decide who holds a lease or what a state allows; `tidegate-generations` does.

mod claim;
mod complete;
mod fail;
mod lease;
mod progress;
mod signed;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(claim::claim))
        .routes(routes!(progress::progress))
        .routes(routes!(complete::complete))
        .routes(routes!(fail::fail))
}
