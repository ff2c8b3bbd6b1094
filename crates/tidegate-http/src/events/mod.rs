//! Domain events and the feed: `/api/v1/events`.
//!
//! Owns: publishing, the caller's own feed as a stream and by cursor, the catalogue.
//! Must not: know how a feed is stored or what a schema says; `tidegate-events` does.

mod catalogue;
mod feed;
mod operation;
mod page;
mod problem;
mod publish;
mod publisher;
mod stream;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(publish::publish, page::page))
        .routes(routes!(stream::stream, stream::stream_by_post))
        .routes(routes!(catalogue::list, catalogue::register))
        .routes(routes!(operation::lookup))
}
