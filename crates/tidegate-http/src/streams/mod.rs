//! Streams for any client: `/v1/stream/{path}`, the Durable Streams protocol.
//!
//! Owns: the protocol's methods, statuses and headers, and our additions (tickets, `live=events`).
//! Must not: decide what an append means; the log does.

mod append;
mod caching;
mod create;
mod docs;
mod failures;
mod fork;
mod headers;
mod long_poll;
mod manage;
mod query;
mod read;
mod target;

use axum::extract::Request;
use axum::handler::Handler as _;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::Method;
use http::header::ALLOW;
use http::request::Parts;
use tidegate_types::ErrorCode;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;
use crate::edge::{Arrival, BoundBody, RequestInfo};
use crate::problem::Problem;
use crate::subscriptions;

pub(crate) use target::{named_by, serves};

/// The route of a stream, as metrics and the access log name it.
pub(crate) const ROUTE: &str = "/v1/stream/{*path}";

/// What stands beside the streams under the same prefix, and the documents of them all. Streams
/// themselves are answered by [`serve`], which no router comes before.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    let nothing_here = || any(async || subscriptions::nothing_here());
    OpenApiRouter::with_openapi(docs::Document::openapi())
        .route("/v1/stream/__ds", nothing_here())
        .route("/v1/stream/__ds/{*rest}", nothing_here())
}

/// Answers a request for one stream.
pub(crate) async fn serve(
    state: &AppState,
    arrival: &Arrival,
    info: &RequestInfo,
    mut head: Parts,
    body: &mut BoundBody,
) -> Response {
    if append::is_plain(&head) {
        return append::plain(state, info, &mut head, body).await.unwrap_or_else(Problem::into_response);
    }
    if read::is_live(&head) {
        let opened = Box::pin(read::live(state, arrival, info, &mut head)).await;
        return opened.unwrap_or_else(Problem::into_response);
    }
    head.extensions.insert(info.clone());
    head.extensions.insert(arrival.socket.clone());
    // Boxed, so that what only these need does not weigh on every append.
    Box::pin(by_method(state.clone(), head, body)).await
}

async fn by_method(state: AppState, head: Parts, body: &mut BoundBody) -> Response {
    let (lent, loan) = body.lend();
    let request = Request::from_parts(head, lent);
    let response = match *request.method() {
        Method::GET => read::read.call(request, state).await,
        Method::HEAD => manage::head.call(request, state).await,
        Method::PUT => create::create.call(request, state).await,
        Method::POST => append::post.call(request, state).await,
        Method::DELETE => manage::delete.call(request, state).await,
        Method::OPTIONS => manage::options.call(request, state).await,
        _ => Problem::new(ErrorCode::MethodNotAllowed).header(ALLOW, manage::METHODS).into_response(),
    };
    body.take_back(loan);
    response
}
