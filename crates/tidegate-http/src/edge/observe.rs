//! The access log and the counters of requests.
//!
//! Owns: the fields of one access line: the route's template, never the raw path or query.
//! Must not: log a header's value but the request id.

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::Method;
use tokio::time::Instant;

use super::context::RequestInfo;
use crate::AppState;
use crate::problem::AnswerCode;

/// What is kept of a request for its access line.
#[derive(Debug)]
pub(super) struct Observed {
    started: Instant,
    method: Method,
    route: Option<MatchedPath>,
}

impl Observed {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    pub(super) fn finish(self, state: &AppState, info: &RequestInfo, response: &Response) {
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let status = response.status().as_u16();
        let code = response.extensions().get::<AnswerCode>().map(|code| code.0);
        let elapsed = self.started.elapsed();
        state.metrics().request_answered(route, status, elapsed);
        if let Some(code) = code {
            state.metrics().problem_answered(code);
            state.gate().count_refusal(code, info.address);
        }
        tracing::info!(
            target: "tidegate::access",
            request_id = &*info.request_id,
            method = method_name(&self.method),
            route = route,
            status = status,
            code = code.map(tidegate_types::ErrorCode::as_str),
            address = %info.address,
            duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
    }
}

/// Known methods only: a made-up one is the client's text.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => "OTHER",
    }
}
