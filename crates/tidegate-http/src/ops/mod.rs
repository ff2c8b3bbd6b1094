//! Operations: health, metrics, the API's own documents, problem pages.
//!
//! Owns: everything that an operator or a newcomer asks the server about itself.
//! Must not: need a credential, or show any user's data.

mod docs;
mod exposition;
mod health;
mod home;
mod keys;
mod metrics;
mod problems;
mod security;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use home::{html, wants_html};
pub use metrics::{Metrics, metrics_router, serve_metrics};
pub(crate) use metrics::{Redemption, Refusal, Totals};
pub(crate) use security::Credentials;

use crate::AppState;

/// The routes that the OpenAPI document lists.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(docs::described())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(problems::problem))
        .routes(routes!(problems::list))
        .routes(routes!(keys::jwks))
}

/// The pages that stand beside the API.
pub(crate) fn pages(document: &OpenApi) -> Router<AppState> {
    home::router().merge(docs::router(document))
}
