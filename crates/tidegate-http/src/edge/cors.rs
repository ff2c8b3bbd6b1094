//! Cross-origin rules: listed origins exactly, and any origin where anyone may read or write.
//!
//! Owns: preflight answers and the CORS headers of every other answer, errors and streams too.
//! Must not: reflect an origin that is not listed.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tidegate_types::StreamPath;

use crate::HttpConfig;

const METHODS: &str = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
const REQUEST_HEADERS: &str = "Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-None-Match, \
    Last-Event-ID, Prefer, X-Request-Id, Tidegate-Lease, Stream-Seq, Stream-TTL, Stream-Expires-At, Stream-Closed, \
    Stream-Forked-From, Stream-Fork-Offset, Stream-Fork-Sub-Offset, Producer-Id, Producer-Epoch, Producer-Seq";
const ANSWER_HEADERS: &str = "ETag, Location, Retry-After, X-Request-Id, WWW-Authenticate, Stream-Next-Offset, \
    Stream-Cursor, Stream-Up-To-Date, Stream-Closed, Stream-TTL, Stream-Expires-At, Stream-SSE-Data-Encoding, \
    Producer-Epoch, Producer-Seq, Producer-Expected-Seq, \
    Producer-Received-Seq";

/// What one request's origin may see.
#[derive(Clone, Debug)]
pub(super) struct Cors {
    grant: Grant,
    preflight: bool,
    varies: bool,
}

#[derive(Clone, Debug)]
enum Grant {
    Nothing,
    Listed(HeaderValue),
    Any,
}

impl Cors {
    /// `stream`: the one that the URL names.
    pub(super) fn of(config: &HttpConfig, request: &Request, stream: Option<&StreamPath>) -> Self {
        let headers = request.headers();
        let origin = headers.get(ORIGIN);
        let listed = origin.filter(|value| value.to_str().is_ok_and(|origin| config.lists_origin(origin)));
        // An answer that a cache may give to another page has to suit that page as well; any other
        // one needs this only where a page asks.
        let is_shared = origin.is_some() || matches!(*request.method(), Method::GET | Method::HEAD);
        let grant = match listed {
            Some(origin) => Grant::Listed(origin.clone()),
            None if is_shared && stream.is_some_and(|path| config.is_open_to_anyone(path)) => Grant::Any,
            None => Grant::Nothing,
        };
        let preflight = request.method() == Method::OPTIONS
            && origin.is_some()
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        Self { grant, preflight, varies: !config.cors_origins.is_empty() }
    }

    /// The answer to a preflight; other requests go on.
    pub(super) fn preflight(&self) -> Option<Response> {
        if !self.preflight {
            return None;
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        if !matches!(self.grant, Grant::Nothing) {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
        Some(response)
    }

    pub(super) fn apply(self, response: &mut Response) {
        let headers = response.headers_mut();
        if self.varies {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        match self.grant {
            Grant::Listed(origin) => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                expose(headers);
            }
            Grant::Nothing => {}
            Grant::Any => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                expose(headers);
            }
        }
    }
}

fn expose(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
}
