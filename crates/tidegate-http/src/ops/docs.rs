//! The OpenAPI document and its page, all served from this binary.
//!
//! Owns: `/api/v1/openapi.json` and `/docs`.
//! Must not: load anything from another host; the page's policy forbids it too.

use std::sync::Arc;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use tidegate_types::ErrorCode;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::AppState;
use crate::problem::Problem;

const PAGE: &str = include_str!("docs.html");
const START: &str = include_str!("docs.js");
/// The page's own scripts set styles on elements, hence `unsafe-inline` for styles alone.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document as text.
#[derive(Clone)]
struct ApiText(Bytes);

/// What the document says of the pages beside the API.
#[derive(utoipa::OpenApi)]
#[openapi(paths(document, page, super::home::llms))]
struct Pages;

/// The pages' own entries in the OpenAPI document.
pub(super) fn described() -> OpenApi {
    Pages::openapi()
}

pub(super) fn router(api: &OpenApi) -> Router<AppState> {
    // The document is made of plain values; if it can't be written, an empty object says so honestly.
    let json = Bytes::from(api.to_json().unwrap_or_else(|_| "{}".to_owned()));
    let config = Arc::new(Config::from("/api/v1/openapi.json"));
    Router::new()
        .route("/api/v1/openapi.json", get(document).layer(Extension(ApiText(json))))
        .route("/docs", get(page))
        .route("/docs/", get(page))
        .route("/docs/start.js", get(|| std::future::ready(answer("text/javascript; charset=utf-8", START))))
        .route(
            "/docs/{file}",
            get(move |Path(file): Path<String>| std::future::ready(asset(&file, config.clone()))),
        )
}

/// This document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "operations", security(()),
    responses((status = 200, body = Object, content_type = "application/json", description = "an OpenAPI 3.1 document"))
)]
async fn document(json: Extension<ApiText>) -> Response {
    answer("application/json", json.0.0)
}

/// The same document as a page for people.
#[utoipa::path(
    get, path = "/docs", tag = "operations", security(()),
    responses((status = 200, body = String, content_type = "text/html"))
)]
async fn page() -> Response {
    let mut response = answer("text/html; charset=utf-8", PAGE);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, http::HeaderValue::from_static(CSP));
    response
}

fn answer(content_type: &'static str, body: impl IntoResponse) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")], body).into_response()
}

fn asset(file: &str, config: Arc<Config<'static>>) -> Response {
    // The bundle's own page would start with settings that ask a validator on another host.
    let served = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png"];
    if !served.contains(&file) {
        return Problem::new(ErrorCode::NotFound).into_response();
    }
    match utoipa_swagger_ui::serve(file, config) {
        Ok(Some(file)) => (
            [(CONTENT_TYPE, file.content_type), (CACHE_CONTROL, "public, max-age=3600".to_owned())],
            file.bytes.into_owned(),
        )
            .into_response(),
        Ok(None) | Err(_) => Problem::new(ErrorCode::NotFound).into_response(),
    }
}
