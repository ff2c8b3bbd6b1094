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
use crate::streams;

/// The route that answers, as metrics and the access log name it.
#[derive(Debug)]
pub(super) enum Route {
    /// One stream, by its path.
    Streams,
    /// What the router chose, if it found anything.
    Matched(Option<MatchedPath>),
}

/// What is kept of a request for its access line.
#[derive(Debug)]
pub(super) struct Observed {
    started: Instant,
    method: Method,
    route: Route,
}

impl Observed {
    pub(super) fn of(request: &Request, route: Route) -> Self {
        Self { started: Instant::now(), method: request.method().clone(), route }
    }

    pub(super) fn finish(self, state: &AppState, info: &RequestInfo, response: &Response) {
        let route = match &self.route {
            Route::Streams => streams::ROUTE,
            Route::Matched(route) => route.as_ref().map_or("unmatched", MatchedPath::as_str),
        };
        let status = response.status().as_u16();
        let code = response.extensions().get::<AnswerCode>().map(|code| code.0);
        let elapsed = self.started.elapsed();
        match self.route {
            Route::Streams => state.metrics().stream_answered(route, status, elapsed),
            Route::Matched(_) => state.metrics().request_answered(route, status, elapsed),
        }
        if let Some(code) = code {
            state.metrics().problem_answered(code);
            state.gate().count_refusal(code, info.address);
        }
        tracing::info!(
            target: "tidegate::access",
            request_id = info.request_id.as_str(),
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
