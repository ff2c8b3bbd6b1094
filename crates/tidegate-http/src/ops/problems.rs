//! A page for each problem code, for people (HTML) and programs (JSON).
//!
//! Owns: `/problems` and `/problems/{code}`.
//! Must not: put anything of the request on a page.

use std::fmt::Write as _;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Serialize;
use tidegate_types::ErrorCode;

use super::home::{html, wants_html};
use crate::extract::Path;
use crate::problem::{Problem, ProblemBody};

/// What a code means.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemKind {
    code: &'static str,
    status: u16,
    title: &'static str,
    help: &'static str,
    /// Whether the same request may succeed later, unchanged.
    retryable: bool,
}

impl ProblemKind {
    fn of(code: ErrorCode) -> Self {
        Self {
            code: code.as_str(),
            status: code.status(),
            title: code.title(),
            help: code.help(),
            retryable: code.is_retryable(),
        }
    }
}

/// What one problem code means, and what to do about it.
#[utoipa::path(
    get, path = "/problems/{code}", tag = "operations", security(()), params(("code" = String, Path)),
    responses((status = 200, body = ProblemKind), (status = 404, body = ProblemBody, content_type = "application/problem+json"))
)]
pub(crate) async fn problem(Path(code): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let code = ErrorCode::from_wire(&code).ok_or(ErrorCode::NotFound)?;
    if !wants_html(&headers) {
        return Ok(Json(ProblemKind::of(code)).into_response());
    }
    let body = format!(
        "<h1>{title}</h1><p>Code <code>{code}</code>, status {status}.</p><p>{help}</p>\
         <p><a href=\"/problems\">All problems</a></p>",
        title = code.title(),
        status = code.status(),
        help = escaped(code.help()),
    );
    Ok(html(code.title(), &body))
}

/// All problem codes.
#[utoipa::path(
    get, path = "/problems", tag = "operations", security(()), responses((status = 200, body = Vec<ProblemKind>))
)]
pub(crate) async fn list(headers: HeaderMap) -> Response {
    if !wants_html(&headers) {
        return Json(ErrorCode::ALL.iter().map(|code| ProblemKind::of(*code)).collect::<Vec<_>>())
            .into_response();
    }
    let mut body = "<h1>Problems</h1><ul>".to_owned();
    for code in ErrorCode::ALL {
        // Writing to a string does not fail.
        let _ = write!(
            body,
            "<li><a href=\"/problems/{code}\">{code}</a> ({}): {}</li>",
            code.status(),
            code.title()
        );
    }
    body.push_str("</ul>");
    html("Problems", &body)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
