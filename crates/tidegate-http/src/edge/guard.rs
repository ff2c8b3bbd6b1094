//! The one middleware: the order in which a request is checked and its answer completed.
//!
//! Owns: that order. Cheap and certain refusals come first; nothing parses the query before the
//! credential check has seen it.
//! Must not: hold a rule itself; each stands in its own file.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Version};
use tidegate_types::ErrorCode;

use super::body::{self, BodyBounds};
use super::context::{RequestInfo, with_request_id};
use super::cors::Cors;
use super::observe::Observed;
use super::{headers, url_credential};
use crate::AppState;
use crate::credential;
use crate::problem::{AnswerCode, Problem, code_for_status};

pub(crate) async fn guard(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let observed = Observed::of(&request);
    let info = RequestInfo::of(&state, &request);
    let cors = Cors::of(state.config(), &request);
    let is_stream_api = request.uri().path().starts_with("/v1/stream/");
    let is_http2 = request.version() >= Version::HTTP_2;
    request.extensions_mut().insert(info.clone());
    let work = answer(&state, &info, &cors, request, next);
    let mut response = with_request_id(info.request_id.clone(), work).await;
    cors.apply(&mut response);
    headers::apply(&mut response, &info.request_id, is_stream_api);
    close_after_timeout(&mut response, is_http2);
    observed.finish(&state, &info, &response);
    response
}

async fn answer(
    state: &AppState,
    info: &RequestInfo,
    cors: &Cors,
    mut request: Request,
    next: Next,
) -> Response {
    let bounds = BodyBounds::of(state.limits(), request.uri().path());
    let checked = check(state, info, cors, &bounds, &request);
    let leftover = body::bind(&mut request, bounds);
    let response = match checked {
        Ok(None) => run(request, next).await,
        Ok(Some(preflight)) => preflight,
        Err(problem) => refuse(state, info, request, problem).await,
    };
    if let Some(leftover) = leftover
        && !response.status().is_success()
    {
        leftover.drain().await;
    }
    response
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

async fn refuse(state: &AppState, info: &RequestInfo, request: Request, problem: Problem) -> Response {
    // The body goes first, so that what is left of it can be drained.
    let (parts, body) = request.into_parts();
    drop(body);
    if problem.code() == ErrorCode::CredentialInUrl {
        credential::audit_leak(state, info, &parts.headers).await;
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

async fn run(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
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
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;

    async fn panics() -> &'static str {
        panic!("s3cret")
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_problem_without_its_payload() {
        let layer = from_fn(|request: Request, next: Next| run(request, next));
        let router = Router::new().route("/", get(panics)).layer(layer);
        let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
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
