//! All routes in one router, and the OpenAPI document that comes from it.
//!
//! Owns: the order of areas and the middleware around them.
//! Must not: define a route; areas do, in their `router()`.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use tidegate_types::ErrorCode;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::ops::Credentials;
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::{
    AppState, admin, auth, conversations, documents, edge, events, generations, keys, legacy, ops, streams,
    subscriptions, tickets, work,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidegate",
        description = "Live progress and AI output from a backend to the people who wait for it. \
            Every refusal is `application/problem+json` with a stable `code`; `/problems/{code}` explains each.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemBody, FieldError)),
    modifiers(&Credentials)
)]
struct Document;

fn areas() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(ops::router())
        .merge(auth::router())
        .merge(keys::router())
        .merge(tickets::router())
        .merge(generations::router())
        .merge(work::router())
        .merge(documents::router())
        .merge(conversations::router())
        .merge(events::router())
        .merge(streams::router())
        .merge(subscriptions::router())
        .merge(admin::router())
}

/// The OpenAPI 3.1 document, made from the routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    areas().merge(legacy::router()).into_openapi()
}

/// The whole service of one listener.
pub(crate) fn service(state: &AppState) -> edge::Entry {
    edge::Entry::new(state.clone(), router(state))
}

fn router(state: &AppState) -> Router {
    let mut routes = areas();
    if state.config().legacy_routes {
        routes = routes.merge(legacy::router());
    }
    let (router, document) = routes.split_for_parts();
    router
        .merge(ops::pages(&document))
        .fallback(|| async { Problem::new(ErrorCode::NotFound) })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), edge::layer))
        .with_state(state.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_the_pages_beside_the_api() {
        let document = openapi();
        for path in ["/api/v1/openapi.json", "/docs", "/llms.txt", "/problems/{code}", "/metrics"] {
            assert!(document.paths.paths.contains_key(path), "{path} is not listed");
        }
    }
}
