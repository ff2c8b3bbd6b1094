//! "Document chat": `/documents…` with the token in the header.
//!
//! Owns: upload, list, get and delete under these paths. Must not: differ from the API proper in
//! anything but the paths, and the page that people see who open one in a browser.

mod collection;
mod one;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(collection::list, collection::upload))
        .routes(routes!(collection::upload_here))
        .routes(routes!(one::lookup, one::delete))
        .route("/documents/", get(collection::list).post(collection::upload))
}
