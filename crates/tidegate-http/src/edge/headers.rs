//! Headers that every answer carries.
//!
//! Owns: the safe defaults; a handler that says otherwise is left alone.
//! Must not: name the server or its version.

use axum::response::Response;
use http::header::{CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};
use tidegate_types::RequestId;

use super::context::X_REQUEST_ID;

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(super) fn apply(response: &mut Response, request_id: &RequestId, is_stream_api: bool) {
    let headers = response.headers_mut();
    // Once for all of these, instead of growing step by step.
    headers.reserve(5);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if is_stream_api {
        headers.entry(CORP).or_insert(HeaderValue::from_static("cross-origin"));
    }
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert(X_REQUEST_ID, value);
    }
}
