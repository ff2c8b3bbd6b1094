//! Failures as answers: `application/problem+json` (RFC 9457).
//!
//! Owns: the shape of every refusal, its challenge and its headers.
//! Must not: show the offending value, a stack, SQL or a path; nothing here takes a `Debug`.

mod answer;
mod body;
mod domain;
mod status;

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use tidegate_types::ErrorCode;

pub(crate) use answer::AnswerCode;
pub(crate) use body::ProblemBody;
pub(crate) use status::code_for_status;

/// Why a request is refused; handlers return it as their error.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: ErrorCode,
    detail: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    retry_after: Option<u32>,
    scope: Option<String>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: Vec<(&'static str, Value)>,
}

/// One place in the request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldError {
    /// A JSON pointer into the body, or `/name` of a query parameter.
    pub(crate) pointer: String,
    /// What is wrong, for programs.
    pub(crate) code: Cow<'static, str>,
    /// What is wrong, for people.
    pub(crate) detail: Cow<'static, str>,
}

impl FieldError {
    pub(crate) fn new(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// Places named at most, so that an answer stays below 2 KiB.
const ERRORS_MAX: usize = 6;
/// Seconds that a client is told to wait when the failure itself names none.
const RETRY_AFTER_DEFAULT: u32 = 1;

impl Problem {
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self(Box::new(Parts {
            code,
            detail: None,
            hint: None,
            retry_after: code.is_retryable().then_some(RETRY_AFTER_DEFAULT),
            scope: None,
            errors: Vec::new(),
            headers: Vec::new(),
            members: Vec::new(),
        }))
    }

    /// A failure of ours: the cause goes to the log, once, and nothing of it to the client.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error.message = %cause, "request failed");
        Self::new(ErrorCode::Internal)
    }

    /// A sentence about this occurrence. Must hold nothing that the client sent as a secret.
    pub(crate) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// What to do about it; without one the code's own advice is used.
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Seconds until the same request may succeed.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// The scope that a key lacks; the challenge names it.
    pub(crate) fn scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scope = Some(scope.into());
        self
    }

    /// The places that are wrong; the first few are kept.
    pub(crate) fn errors(mut self, mut errors: Vec<FieldError>) -> Self {
        errors.truncate(ERRORS_MAX);
        self.0.errors = errors;
        self
    }

    /// One place that is wrong.
    pub(crate) fn field(
        self,
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.errors(vec![FieldError::new(pointer, code, detail)])
    }

    /// A header beside the usual ones, such as `Producer-Epoch`.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// A member beside the usual ones, where a protocol wants its own.
    pub(crate) fn member(mut self, name: &'static str, value: Value) -> Self {
        self.0.members.push((name, value));
        self
    }

    pub(crate) fn code(&self) -> ErrorCode {
        self.0.code
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}
