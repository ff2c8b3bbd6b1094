//! Subscriptions: `/v1/stream/__ds/…` of the Durable Streams protocol.
//!
//! Owns: the paths of this area, who may make and manage a subscription, and refusals in the
//! protocol's own shape (`error.code`) beside ours.
//! Must not: decide what a wake is; `tidegate-subscriptions` does.

mod ack;
mod asked;
mod body;
mod claim;
mod create;
mod delete;
mod keys;
mod list;
mod lookup;
mod owner;
mod reach;
mod refusal;
mod release;
mod streams;

use axum::routing::delete;
use tidegate_types::ErrorCode;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use reach::EdgeReach;

use crate::AppState;
use crate::problem::Problem;

/// What the routes themselves can't say: a path with a wildcard.
#[derive(OpenApi)]
#[openapi(paths(streams::remove_stream_doc))]
struct Document;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(keys::list_signing_keys))
        .routes(routes!(list::list_subscriptions))
        .routes(routes!(create::create_subscription, lookup::show_subscription, delete::delete_subscription))
        .routes(routes!(streams::add_streams))
        .route("/v1/stream/__ds/subscriptions/{id}/streams/{*path}", delete(streams::remove_stream))
        .routes(routes!(claim::claim_wake))
        .routes(routes!(ack::acknowledge))
        .routes(routes!(ack::call_back))
        .routes(routes!(release::release_wake))
}

/// The answer to every other path below `__ds`.
pub(crate) fn nothing_here() -> Problem {
    refusal::with_error(Problem::new(ErrorCode::NotFound).detail("no stream lives below `__ds`"))
}
