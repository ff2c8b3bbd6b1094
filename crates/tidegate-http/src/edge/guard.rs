//! What every request passes: the order in which it is checked and its answer completed.
//!
//! Owns: that order. Cheap and certain refusals come first; nothing parses the query before the
//! credential check has seen it. Requests for streams pass on the way in, without the router's
//! layers; all others inside of the router, where their route is known.
//! Must not: hold a rule itself; each stands in its own file.

use std::panic::AssertUnwindSafe;
use std::pin::pin;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};
use tidegate_types::{ErrorCode, Timestamp};
use tower::Service as _;

use super::body::{BodyBounds, BoundBody};
use super::context::{Arrival, RequestInfo, with_request_id};
use super::cors::Cors;
use super::observe::{Observed, Route};
use super::{headers, url_credential};
use crate::AppState;
use crate::credential;
use crate::problem::{AnswerCode, Problem, code_for_status};
use crate::streams;

/// Every way in: the service of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    state: AppState,
    router: Router,
}

impl Entry {
    pub(crate) const fn new(state: AppState, router: Router) -> Self {
        Self { state, router }
    }

    /// The server's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.state.clock().now()
    }

    /// Counts records that went out on a live stream.
    pub(crate) fn count_delivered(&self, records: u64) {
        self.state.metrics().events_delivered(records);
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, arrival: Arrival, mut request: Request) -> Response {
        if streams::serves(request.uri().path()) {
            return guard(&self.state, &arrival, Onward::Streams, request).await;
        }
        request.extensions_mut().insert(arrival);
        let mut router = self.router.clone();
        router.call(request).await.unwrap_or_else(|never| match never {})
    }
}

/// Whether a `POST` to this target appends and does nothing else.
pub(crate) fn is_append(target: &str) -> bool {
    streams::serves(target) && !target.bytes().any(|byte| matches!(byte, b'?' | b'#'))
}

/// Whether a `GET` of this target opens a live stream if its handler lets it, and has no large answer otherwise.
pub(crate) fn is_opening(target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !streams::serves(path) {
        return path.starts_with("/api/v1/") && path.ends_with("/stream");
    }
    query.split('&').any(|pair| matches!(pair, "live=sse" | "live=events") || pair.starts_with("ticket="))
}

/// The guard as the router's middleware.
pub(crate) async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_default();
    guard(&state, &arrival, Onward::Router(route, next), request).await
}

/// What answers a request that passed.
enum Onward {
    Streams,
    Router(Option<MatchedPath>, Next),
}

async fn guard(state: &AppState, arrival: &Arrival, onward: Onward, request: Request) -> Response {
    let route = match &onward {
        Onward::Streams => Route::Streams,
        Onward::Router(route, _) => Route::Matched(route.clone()),
    };
    let observed = Observed::of(&request, route);
    let info = RequestInfo::of(state, arrival.peer, &request);
    let cors = Cors::of(state.config(), &request, info.stream.as_ref());
    let is_stream_api = request.uri().path().starts_with("/v1/stream/");
    let is_http2 = request.version() >= Version::HTTP_2;
    let passage = Passage { state, arrival, info: &info, cors: &cors };
    let mut response = {
        // Pinned here: the future is large, and each wrapper that took it by value would move it.
        let answered = pin!(passage.answer(request, onward));
        with_request_id(info.request_id, answered).await
    };
    cors.apply(&mut response);
    headers::apply(&mut response, &info.request_id, is_stream_api);
    close_after_timeout(&mut response, is_http2);
    observed.finish(state, &info, &response);
    response
}

/// One request on its way to what answers it.
struct Passage<'r> {
    state: &'r AppState,
    arrival: &'r Arrival,
    info: &'r RequestInfo,
    cors: &'r Cors,
}

impl Passage<'_> {
    async fn answer(self, request: Request, onward: Onward) -> Response {
        let bounds = BodyBounds::of(self.state.limits(), request.uri().path());
        let checked = check(self.state, self.info, self.cors, &bounds, &request);
        let (parts, body) = request.into_parts();
        let mut body = BoundBody::new(body, &parts, bounds);
        let response = match checked {
            Ok(None) => self.run(onward, parts, &mut body).await,
            Ok(Some(preflight)) => preflight,
            Err(problem) => Box::pin(refuse(self.state, self.info, &parts.headers, problem)).await,
        };
        if body.may_be_left() && !response.status().is_success() {
            Box::pin(body.drain()).await;
        }
        response
    }

    async fn run(self, onward: Onward, parts: Parts, body: &mut BoundBody) -> Response {
        let answered = pin!(async {
            match onward {
                Onward::Streams => streams::serve(self.state, self.arrival, self.info, parts, body).await,
                Onward::Router(_, next) => self.run_router(next, parts, body).await,
            }
        });
        caught(answered).await
    }

    async fn run_router(&self, next: Next, mut parts: Parts, body: &mut BoundBody) -> Response {
        parts.extensions.insert(self.info.clone());
        parts.extensions.insert(self.arrival.socket.clone());
        let (lent, loan) = body.lend();
        let response = next.run(Request::from_parts(parts, lent)).await;
        body.take_back(loan);
        response
    }
}

/// Refuses, or answers a preflight, or lets the request pass.
fn check(
    state: &AppState,
    info: &RequestInfo,
    cors: &Cors,
    bounds: &BodyBounds,
    request: &Request,
) -> Result<Option<Response>, Problem> {
    check_head(state, request)?;
    if let Some(answer) = cors.preflight() {
        return Ok(Some(answer));
    }
    url_credential::check(request.method(), request.uri())?;
    bounds.check(request)?;
    credential::limit_anonymous(state, info, request)?;
    Ok(None)
}

async fn refuse(state: &AppState, info: &RequestInfo, headers: &HeaderMap, problem: Problem) -> Response {
    if problem.code() == ErrorCode::CredentialInUrl {
        credential::audit_leak(state, info, headers).await;
    }
    problem.into_response()
}

fn check_head(state: &AppState, request: &Request) -> Result<(), Problem> {
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        let allowed = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS");
        return Err(Problem::new(ErrorCode::MethodNotAllowed).header(ALLOW, allowed));
    }
    state.hosts().check(request)?;
    if request.headers().get_all(AUTHORIZATION).iter().count() > 1 {
        return Err(Problem::new(ErrorCode::InvalidRequest).detail("more than one authorization header"));
    }
    Ok(())
}

async fn caught(answered: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answered).catch_unwind().await {
        Ok(response) => as_problem(response),
        // The payload may hold anything; the panic hook has said where it happened.
        Err(_) => Problem::internal(&"a handler panicked").into_response(),
    }
}

/// Gives a refusal that the framework made by itself the body that all refusals have.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal || response.extensions().get::<AnswerCode>().is_some() {
        return response;
    }
    let of_handler =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"));
    if of_handler {
        return response;
    }
    let mut problem = Problem::new(code_for_status(status));
    if let Some(allow) = response.headers().get(ALLOW) {
        problem = problem.header(ALLOW, allow.clone());
    }
    problem.into_response()
}

/// After a body that came too slowly the rest of the connection can't be read.
fn close_after_timeout(response: &mut Response, is_http2: bool) {
    let code = response.extensions().get::<AnswerCode>().map(|code| code.0);
    if !is_http2 && code == Some(ErrorCode::RequestTimeout) {
        response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_problem_without_its_payload() {
        let response = caught(async { panic!("s3cret") }).await;
        assert_eq!(response.status(), 500);
        let body = axum::body::to_bytes(response.into_body(), 4_096).await.unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("s3cret"));
    }

    #[tokio::test]
    async fn a_bare_refusal_of_the_framework_gets_a_problem_body() {
        for (status, code) in
            [(404, "not-found"), (413, "body-too-large"), (418, "invalid-request"), (502, "internal")]
        {
            let bare = http::StatusCode::from_u16(status).unwrap().into_response();
            assert_eq!(as_problem(bare).extensions().get::<AnswerCode>().unwrap().0.as_str(), code);
        }
        assert_eq!(as_problem(http::StatusCode::NOT_MODIFIED.into_response()).status(), 304);
    }
}
