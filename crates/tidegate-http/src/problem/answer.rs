//! A problem as an HTTP answer.
//!
//! Owns: status, challenge (RFC 6750 section 3) and headers of a refusal.
//! Must not: add CORS or request id headers; the middleware does for all answers.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use tidegate_types::ErrorCode;

use super::Problem;

/// In the extensions of a refusal, so that the log and the metrics know its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnswerCode(pub(crate) ErrorCode);

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Serialising owned strings and numbers to memory cannot fail; an empty body is the honest rest.
        let bytes = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (status, bytes).into_response();
        response.extensions_mut().insert(AnswerCode(self.code()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in self.0.headers {
            headers.insert(name, value);
        }
        response
    }
}

impl Problem {
    fn challenge(&self) -> Option<HeaderValue> {
        let text = match self.code() {
            // Nothing was sent that could be wrong: a bare challenge.
            ErrorCode::Unauthenticated | ErrorCode::InvalidCredentials => "Bearer",
            ErrorCode::CredentialInUrl => "Bearer error=\"invalid_request\"",
            ErrorCode::InsufficientScope => return Some(self.scope_challenge()),
            code if code.status() == 401 => "Bearer error=\"invalid_token\"",
            _ => return None,
        };
        Some(HeaderValue::from_static(text))
    }

    fn scope_challenge(&self) -> HeaderValue {
        let bare = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
        let Some(scope) = self.0.scope.as_deref() else { return bare };
        let quotable = scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !quotable {
            return bare;
        }
        HeaderValue::from_str(&format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""))
            .unwrap_or(bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use serde_json::Value;

    #[tokio::test]
    async fn every_code_answers_with_its_status_and_the_same_members() {
        for code in ErrorCode::ALL {
            let response = Problem::new(*code).into_response();
            assert_eq!(response.status().as_u16(), code.status());
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), {
                code.status() == 401 || *code == ErrorCode::InsufficientScope
            });
            assert_eq!(response.headers().contains_key(RETRY_AFTER), code.is_retryable());
            let body = to_bytes(response.into_body(), 2_048).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["type"], format!("/problems/{code}"));
            assert_eq!(body["code"], code.as_str());
            assert_eq!(body["status"], code.status());
            for member in ["title", "detail", "request_id", "hint"] {
                assert!(body[member].is_string(), "{code} lacks {member}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_stays_below_two_kibibytes_whatever_it_names() {
        let long = "x".repeat(5_000);
        let errors =
            (0..50).map(|_| super::super::FieldError::new(long.clone(), "invalid", long.clone())).collect();
        let problem =
            Problem::new(ErrorCode::ValidationFailed).detail(long.clone()).hint(long).errors(errors);
        let body = to_bytes(problem.into_response().into_body(), usize::MAX).await.unwrap();
        assert!(body.len() <= 2_048, "{} bytes", body.len());
    }

    #[test]
    fn the_challenge_names_the_scope_but_never_breaks_its_quotes() {
        let named = Problem::new(ErrorCode::InsufficientScope).scope("events:publish").into_response();
        assert_eq!(
            named.headers()[WWW_AUTHENTICATE],
            "Bearer error=\"insufficient_scope\", scope=\"events:publish\""
        );
        let hostile = Problem::new(ErrorCode::InsufficientScope).scope("a\", x=\"b").into_response();
        assert_eq!(hostile.headers()[WWW_AUTHENTICATE], "Bearer error=\"insufficient_scope\"");
    }
}
