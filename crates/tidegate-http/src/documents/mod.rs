//! Documents: `/api/v1/documents`.
//!
//! Owns: upload, records, passages and search, the file back, the stream of the processing.
//! Must not: look into a file, or know where it lies.

mod access;
mod attachment;
mod content;
mod delete;
mod list;
mod lookup;
mod passages;
mod problem;
mod receive;
mod stream;
mod token;
mod upload;
mod view;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(crate) use access::{own, owner_of, readable};
pub(crate) use list::list_own;
pub(crate) use upload::upload_as;
pub(crate) use view::DocumentView;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(upload::upload))
        .routes(routes!(list::list))
        .routes(routes!(lookup::lookup, delete::delete))
        .routes(routes!(passages::passages))
        .routes(routes!(content::content))
        .routes(routes!(token::token))
        .routes(routes!(stream::stream, stream::stream_by_post))
        // The collection's path with a slash at its end, as many clients write it.
        .route("/api/v1/documents/", get(list::list))
}
