//! Streams for any client: `/v1/stream/{path}`, the Durable Streams protocol.
//!
//! Owns: the protocol's methods, statuses and headers, and our additions (tickets, `live=events`).
//! Must not: decide what an append means; the log does.

mod append;
mod caching;
mod create;
mod docs;
mod failures;
mod fork;
mod headers;
mod long_poll;
mod manage;
mod query;
mod read;
mod target;

use axum::routing::MethodRouter;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

/// The routes of this area. The path may have any number of segments, which OpenAPI can't say.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    let methods = MethodRouter::new()
        .get(read::read)
        .head(manage::head)
        .put(create::create)
        .post(append::post)
        .delete(manage::delete)
        .options(manage::options);
    OpenApiRouter::with_openapi(docs::Document::openapi()).route("/v1/stream/{*path}", methods)
}
