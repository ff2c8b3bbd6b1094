//! What polling speaks: cursors, waits, validators.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use tidegate_types::{ErrorCode, Limits, OffsetError, ReadFrom};

use crate::problem::Problem;

const PRIVATE: &str = "private, no-cache";

/// Reads a position that came in the query.
///
/// # Errors
/// 400 `invalid-cursor`, or `resume-tag-in-url` for what may only come in a header.
pub(crate) fn read_from(text: Option<&str>) -> Result<Option<ReadFrom>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let error = match text.parse() {
        Ok(from) => return Ok(Some(from)),
        Err(_) if text.contains('.') => OffsetError::Tagged,
        Err(error) => error,
    };
    let code = match error {
        OffsetError::Malformed => ErrorCode::InvalidCursor,
        OffsetError::Tagged => ErrorCode::ResumeTagInUrl,
    };
    Err(Problem::new(code).detail(error.to_string()).field("/after", code.as_str(), error.to_string()))
}

/// How long a caller is willing to wait.
///
/// # Errors
/// 422 for more seconds than the server lets anybody wait.
pub(crate) fn wait_seconds(limits: &Limits, wait: Option<u64>) -> Result<Duration, Problem> {
    let (wait, most) = (wait.unwrap_or(0), limits.wait_seconds);
    if wait > most {
        let detail = format!("must be 0 to {most}");
        return Err(Problem::new(ErrorCode::ValidationFailed).field("/wait", "range", detail));
    }
    Ok(Duration::from_secs(wait))
}

/// The entity tags that a caller has (RFC 9110 section 13.1.2), compared weakly.
#[derive(Clone, Debug, Default)]
pub(crate) struct Validators(Vec<String>);

impl Validators {
    /// Reads `If-None-Match`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let tags = values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
        Self(tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag).to_owned()).collect())
    }

    /// Whether the caller sent any.
    pub(crate) fn are_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether the caller has this one.
    pub(crate) fn matches(&self, etag: &str) -> bool {
        self.0.iter().any(|tag| tag == "*" || tag == etag)
    }

    /// 304 when the caller has it, else the body; either names the tag.
    pub(crate) fn answer<T: Serialize>(&self, etag: &str, body: T) -> Response {
        let headers = [(ETAG, etag), (CACHE_CONTROL, PRIVATE)];
        if self.matches(etag) {
            (StatusCode::NOT_MODIFIED, headers).into_response()
        } else {
            (headers, Json(body)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, "\"a\", W/\"b\"".parse().unwrap());
        let known = Validators::of(&headers);
        assert!(known.matches("\"a\"") && known.matches("\"b\"") && !known.matches("\"c\""));
    }

    #[test]
    fn a_resume_tag_is_told_apart_from_a_bad_cursor() {
        let code = |text| read_from(Some(text)).map_err(|problem| problem.code());
        assert_eq!(code("0000000000000005.AAAAAAAAAAAAAAAAAAAAAA"), Err(ErrorCode::ResumeTagInUrl));
        assert_eq!(code("99999999999999999999"), Err(ErrorCode::InvalidCursor));
        assert_eq!(code("-1"), Ok(Some(ReadFrom::Start)));
    }
}
