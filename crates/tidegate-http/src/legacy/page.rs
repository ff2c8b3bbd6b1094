//! What a person sees who opens one of these paths in a browser.

use axum::response::Response;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue};
use tidegate_types::ErrorCode;

use crate::ops::{html, wants_html};
use crate::problem::Problem;

/// A page; `title` must be our own text.
pub(super) fn page(title: &str) -> Response {
    let body = format!(
        "<h1>{title}</h1><p>This address belongs to an API. <a href=\"/docs\">Its documentation</a> \
         says how programs call it.</p>"
    );
    html(title, &body)
}

/// The page for browsers; programs are told that this path is posted to.
pub(super) fn page_or_refusal(headers: &HeaderMap, title: &str) -> Result<Response, Problem> {
    if wants_html(headers) {
        return Ok(page(title));
    }
    let allow = HeaderValue::from_static("POST");
    Err(Problem::new(ErrorCode::MethodNotAllowed).header(ALLOW, allow))
}
