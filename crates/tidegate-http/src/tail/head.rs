//! The head of a streamed answer.
//!
//! Owns: the headers that keep caches, proxies and compressors away from it.
//! Must not: set CORS headers; the middleware does for all answers.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::TailBody;
use crate::framing::Payload;

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NEVER_KEPT: HeaderValue = HeaderValue::from_static("no-cache, no-store, no-transform");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const DATA_ENCODING: HeaderName = HeaderName::from_static("stream-sse-data-encoding");

/// As many as there are in the end, and not one more than the map has room for at that size.
const HEADERS: usize = 12;

/// An answer that streams the tail.
pub(super) fn streaming(tail: TailBody, content_type: &str, memory: HeaderMap) -> Response {
    let detachable = tail.detachable();
    let mut response = event_stream(Body::new(tail), memory);
    response.extensions_mut().insert(detachable);
    if Payload::of(content_type) == Payload::Base64 {
        response.headers_mut().insert(DATA_ENCODING, HeaderValue::from_static("base64"));
    }
    response
}

/// An answer of events that are all known. `memory`: what its headers are kept in, emptied.
pub(super) fn event_stream(body: Body, mut memory: HeaderMap) -> Response {
    let mut response = Response::new(body);
    memory.clear();
    // With room for what the middleware adds: growing twice costs more than the headers.
    memory.reserve(HEADERS);
    let headers = response.headers_mut();
    *headers = memory;
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(CACHE_CONTROL, NEVER_KEPT);
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}
