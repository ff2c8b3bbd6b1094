//! This area in the OpenAPI document: the methods of one path with any number of segments.

use utoipa::OpenApi;

use super::append::TicketAnswer;
use super::query::ReadQuery;
use crate::problem::ProblemBody;

/// The paths of this area.
#[derive(OpenApi)]
#[openapi(paths(get, head, put, post, delete), components(schemas(TicketAnswer)))]
pub(super) struct Document;

/// Reads a stream: a page, or live with `live=long-poll`, `live=sse` or `live=events`.
#[utoipa::path(
    get, path = "/v1/stream/{path}", tag = "streams",
    params(("path" = String, Path, description = "the stream; may hold slashes"), ReadQuery),
    responses(
        (status = 200, description = "records, with `Stream-Next-Offset`"),
        (status = 204, description = "nothing new, or nothing ever again"),
        (status = 304, description = "the page that `If-None-Match` names"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn get() {}

/// What a stream is, without its records.
#[utoipa::path(
    head, path = "/v1/stream/{path}", tag = "streams", params(("path" = String, Path)),
    responses((status = 200, description = "its headers"), (status = 404, description = "no such stream"))
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn head() {}

/// Creates a stream, with its first records if there is a body.
#[utoipa::path(
    put, path = "/v1/stream/{path}", tag = "streams", params(("path" = String, Path)),
    responses(
        (status = 201, description = "created"),
        (status = 200, description = "was there with the same settings"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn put() {}

/// Appends records, closes the stream (`Stream-Closed: true`), or mints a ticket (`?ticket`).
#[utoipa::path(
    post, path = "/v1/stream/{path}", tag = "streams", params(("path" = String, Path)),
    responses(
        (status = 204, description = "appended"),
        (status = 200, description = "appended by a producer, or a ticket", body = TicketAnswer),
        (status = 403, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn post() {}

/// Deletes a stream.
#[utoipa::path(
    delete, path = "/v1/stream/{path}", tag = "streams", params(("path" = String, Path)),
    responses((status = 204, description = "deleted"), (status = 404, description = "no such stream"))
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn delete() {}
