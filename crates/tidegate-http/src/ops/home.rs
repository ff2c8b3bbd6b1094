//! The front page and the notes for language models.
//!
//! Owns: `/` and `/llms.txt`, and the frame of every small page.
//! Must not: load anything from anywhere.

use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderMap;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use crate::AppState;

const LLMS: &str = include_str!("llms.txt");
const CSP: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/", get(home)).route("/llms.txt", get(llms))
}

async fn home(headers: HeaderMap) -> Response {
    if !wants_html(&headers) {
        let links = serde_json::json!({
            "name": "Tidegate",
            "docs": "/docs",
            "openapi": "/api/v1/openapi.json",
            "health": "/healthz",
            "problems": "/problems",
        });
        return Json(links).into_response();
    }
    html(
        "Tidegate",
        "<h1>Tidegate</h1><p>Live progress and AI output from a backend to the people who wait for it.</p>\
         <ul><li><a href=\"/docs\">API documentation</a></li>\
         <li><a href=\"/api/v1/openapi.json\">OpenAPI document</a></li>\
         <li><a href=\"/problems\">Problem codes</a></li>\
         <li><a href=\"/llms.txt\">Notes for language models</a></li></ul>",
    )
}

/// Notes for language models.
#[utoipa::path(
    get, path = "/llms.txt", tag = "operations", security(()),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn llms() -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-cache")], LLMS).into_response()
}

/// Whether a browser asks: programs get JSON.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types =
        accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    types.find(|kind| matches!(*kind, "text/html" | "application/json")) == Some("text/html")
}

/// A page without styles, scripts or images. `body` must be our own text.
pub(crate) fn html(title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\
         <body>{body}</body></html>"
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, CSP),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, page).into_response()
}
