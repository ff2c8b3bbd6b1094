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
        (status = 410, description = "deleted and kept for its forks, or trimmed here", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn get() {}

/// What a stream is, without its records.
#[utoipa::path(
    head, path = "/v1/stream/{path}", tag = "streams", params(("path" = String, Path)),
    responses((status = 200, description = "its headers"), (status = 404, description = "no such stream"),
        (status = 410, description = "deleted and kept for its forks"))
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn head() {}

/// Creates a stream, with its first records if there is a body. `Stream-Forked-From` makes it a fork: it
/// begins with the records of another stream, which the caller must be allowed to read, and goes on alone. Nothing is
/// copied; the content type and the life are the source's unless they are said.
#[utoipa::path(
    put, path = "/v1/stream/{path}", tag = "streams",
    params(
        ("path" = String, Path),
        ("Stream-TTL" = Option<u64>, Header, description = "seconds of life after the last read or write"),
        ("Stream-Expires-At" = Option<String>, Header, description = "end of life, RFC 3339"),
        ("Stream-Closed" = Option<bool>, Header, description = "`true`: it takes no further records"),
        ("Stream-Forked-From" = Option<String>, Header, description = "path of the stream to fork: `/v1/stream/…`"),
        ("Stream-Fork-Offset" = Option<String>, Header,
            description = "where the fork leaves it; the default is its end"),
        ("Stream-Fork-Sub-Offset" = Option<u64>, Header,
            description = "how much is taken beyond that offset: records of a JSON stream, else bytes of the next record"),
    ),
    responses(
        (status = 201, description = "created"),
        (status = 200, description = "was there with the same settings"),
        (status = 400, description = "the fork would begin where its source has nothing", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "may not write here, or not read the stream to fork", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "no such stream to fork", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 410, description = "the fork would begin before the source's trim point", body = ProblemBody,
            content_type = "application/problem+json"),
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

/// Deletes a stream. Its forks keep what they inherited; until the last of them is gone the path stays taken.
#[utoipa::path(
    delete, path = "/v1/stream/{path}", tag = "streams", params(("path" = String, Path)),
    responses((status = 204, description = "deleted"), (status = 404, description = "no such stream"),
        (status = 410, description = "deleted before and kept for its forks"))
)]
#[expect(dead_code, reason = "documentation of a route with a wildcard")]
fn delete() {}
