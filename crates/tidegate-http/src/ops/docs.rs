//! The OpenAPI document and its page, all served from this binary.
//!
//! Owns: `/api/v1/openapi.json` and `/docs`.
//! Must not: load anything from another host; the page's policy forbids it too.

use std::io::Read as _;
use std::sync::Arc;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
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
            get(move |Path(file): Path<String>, headers: HeaderMap| {
                let config = config.clone();
                async move { asset(&file, config, &headers).await }
            }),
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

async fn asset(file: &str, config: Arc<Config<'static>>, headers: &HeaderMap) -> Response {
    // The bundle's own page would start with settings that ask a validator on another host.
    let served = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png"];
    if !served.contains(&file) {
        return Problem::new(ErrorCode::NotFound).into_response();
    }
    let Ok(Some(file)) = utoipa_swagger_ui::serve(file, config) else {
        return Problem::new(ErrorCode::NotFound).into_response();
    };
    let named = [
        (CONTENT_TYPE, file.content_type),
        (CACHE_CONTROL, "public, max-age=3600".to_owned()),
        (VARY, "accept-encoding".to_owned()),
    ];
    let bytes = file.bytes.into_owned();
    if !file.gzpipped {
        return (named, bytes).into_response();
    }
    if takes_gzip(headers) {
        return (named, [(CONTENT_ENCODING, "gzip")], bytes).into_response();
    }
    match tokio::task::spawn_blocking(move || unpacked(&bytes)).await {
        Ok(Ok(bytes)) => (named, bytes).into_response(),
        Ok(Err(_)) | Err(_) => Problem::new(ErrorCode::Internal).into_response(),
    }
}

/// Whether `Accept-Encoding` names gzip (RFC 9110 section 12.5.3). Without the header the file goes out as it is:
/// those who send none seldom unpack.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let listed = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.split_once('=').is_some_and(|(_, q)| q.trim().parse() == Ok(0.0_f32));
        matches!(name.trim(), "gzip" | "x-gzip" | "*") && !refused
    })
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}
