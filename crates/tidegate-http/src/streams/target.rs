//! Which stream a request names.
//!
//! Owns: decoding the path once, and the refusal of what would read differently elsewhere.
//! Must not: look whether the stream is there.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Uri, header};
use percent_encoding::percent_decode_str;
use tidegate_types::{ErrorCode, StreamPath};

use crate::AppState;
use crate::edge::{RequestInfo, origin_of};
use crate::problem::Problem;
use crate::subscriptions;

const PREFIX: &str = "/v1/stream/";
/// The protocol's own name for what is not a stream.
const CONTROL_SEGMENT: &str = "__ds";

/// The stream, and how the client wrote its URL.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) path: StreamPath,
    uri: Uri,
    host: Option<HeaderValue>,
    https: bool,
}

impl Target {
    /// What a request names.
    pub(super) fn of(parts: &Parts, info: Option<&RequestInfo>) -> Result<Self, Problem> {
        Ok(Self {
            path: stream_of(&parts.uri, info.and_then(|info| info.stream.as_ref()))?,
            uri: parts.uri.clone(),
            host: parts.headers.get(header::HOST).cloned(),
            https: info.is_some_and(|info| info.https),
        })
    }

    /// The stream's path on this server, as the client wrote it.
    pub(super) fn url_path(&self) -> String {
        self.uri.path().to_owned()
    }

    /// The stream's absolute URL.
    pub(super) fn url(&self, state: &AppState) -> String {
        format!("{}{}", self.origin(state), self.url_path())
    }

    /// Where this server is, as the client sees it.
    pub(super) fn origin(&self, state: &AppState) -> String {
        let named = self.host.as_ref().and_then(|host| host.to_str().ok());
        let host = self.uri.authority().map(Authority::as_str).or(named);
        origin_of(state.config(), host, self.https)
    }
}

/// Another stream of this server that a header names: by its path as it stands in a URL, or its whole URL.
pub(super) fn source_path(text: &str, origin: &str) -> Result<StreamPath, Problem> {
    let refused =
        || Problem::new(ErrorCode::InvalidRequest).detail("a stream is named by its path on this server");
    let encoded = text.strip_prefix(origin).unwrap_or(text).strip_prefix(PREFIX).ok_or_else(refused)?;
    if encoded.contains(['?', '#']) {
        return Err(refused());
    }
    let path = decode(encoded)?;
    if is_control(path.as_str()) { Err(refused()) } else { Ok(path) }
}

impl FromRequestParts<AppState> for Target {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        Self::of(parts, parts.extensions.get())
    }
}

/// The stream that a URL names, where it has the form of one.
pub(crate) fn named_by(uri: &Uri) -> Option<StreamPath> {
    decode(uri.path().strip_prefix(PREFIX)?).ok()
}

/// Whether the URL's path is one of a stream, rather than of what stands beside them.
pub(crate) fn serves(path: &str) -> bool {
    let Some(rest) = path.strip_prefix(PREFIX) else { return false };
    !rest.is_empty() && !rest.starts_with('/') && !is_control(rest)
}

/// The stream, or what is wrong with its name. `known`: what [`named_by`] found.
pub(super) fn stream_of(uri: &Uri, known: Option<&StreamPath>) -> Result<StreamPath, Problem> {
    let path = match known {
        Some(path) => path.clone(),
        None => decode(uri.path().strip_prefix(PREFIX).ok_or(ErrorCode::NotFound)?)?,
    };
    if is_control(path.as_str()) {
        return Err(subscriptions::nothing_here());
    }
    Ok(path)
}

/// Whether the first segment is the protocol's own.
fn is_control(path: &str) -> bool {
    path.strip_prefix(CONTROL_SEGMENT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn decode(encoded: &str) -> Result<StreamPath, Problem> {
    let refused = |detail| Problem::new(ErrorCode::InvalidRequest).detail(detail);
    let no_stream = |_| refused("the path names no stream: empty, `.` or `..` segments, or odd characters");
    if !encoded.as_bytes().contains(&b'%') {
        return encoded.parse().map_err(no_stream);
    }
    // A slash that is no separator here would be one to the next reader.
    if encoded.as_bytes().windows(3).any(|three| three.eq_ignore_ascii_case(b"%2f")) {
        return Err(refused("an encoded slash may not stand in a stream path"));
    }
    let decoded =
        percent_decode_str(encoded).decode_utf8().map_err(|_| refused("the stream path is not UTF-8"))?;
    decoded.parse().map_err(no_stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a%2Fb")]
    #[case("a%2fb")]
    #[case("a/../b")]
    #[case("a/%2e%2e/b")]
    #[case("a//b")]
    #[case("a/")]
    #[case("a%00b")]
    #[case("a%5Cb")]
    #[case("%ff")]
    #[case("")]
    fn paths_that_read_differently_elsewhere_are_refused(#[case] encoded: &str) {
        assert_eq!(decode(encoded).unwrap_err().code(), ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_stream_is_named_by_its_path_or_by_its_url_here() {
        let named = |text| source_path(text, "http://here").ok().map(|path| path.to_string());
        assert_eq!(named("/v1/stream/a/b%20c").as_deref(), Some("a/b c"));
        assert_eq!(named("http://here/v1/stream/a").as_deref(), Some("a"));
        for elsewhere in
            ["http://there/v1/stream/a", "a", "/a", "/v1/stream/", "/v1/stream/a?b", "/v1/stream/__ds/a"]
        {
            assert_eq!(named(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn a_path_is_decoded_once() {
        assert_eq!(decode("a/b%20c").unwrap().as_str(), "a/b c");
        assert_eq!(decode("a%252Fb").unwrap().as_str(), "a%2Fb");
    }
}
