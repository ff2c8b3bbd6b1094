//! Refusals of this area: a problem, with the protocol's `error` member beside the usual ones.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tidegate_subscriptions::{AckError, ClaimError, CreateError, StreamsError, SubscriptionsError};
use tidegate_types::ErrorCode;

use crate::problem::Problem;
use crate::wire::told;

/// Why a request of this area is refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal(Problem, Vec<(&'static str, Value)>);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem, Vec::new())
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Problem::new(code).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        error_member(self.0, self.1).into_response()
    }
}

/// A problem of an area that has the protocol's shape too.
pub(super) fn with_error(problem: Problem) -> Problem {
    error_member(problem, Vec::new())
}

fn error_member(problem: Problem, more: Vec<(&'static str, Value)>) -> Problem {
    let body = problem.body();
    let mut error = json!({ "code": wire_code(problem.code()), "message": body.detail });
    if let Value::Object(members) = &mut error {
        members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    problem.member("error", error)
}

/// The protocol writes codes in capitals, and has a word of its own for a bad token.
fn wire_code(code: ErrorCode) -> String {
    match code {
        ErrorCode::InvalidToken => "TOKEN_INVALID".to_owned(),
        ErrorCode::InvalidJson | ErrorCode::JsonTooDeep | ErrorCode::EmptyBody => {
            "INVALID_REQUEST".to_owned()
        }
        other => other.as_str().replace('-', "_").to_ascii_uppercase(),
    }
}

macro_rules! from_domain {
    ($($error:ty),*) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                told(&error, error.code()).into()
            }
        }
    )*};
}

from_domain!(CreateError, StreamsError, AckError, SubscriptionsError);

impl From<ClaimError> for Refusal {
    fn from(error: ClaimError) -> Self {
        let more = match &error {
            ClaimError::Claimed { holder, generation } => {
                vec![("current_holder", json!(holder)), ("generation", json!(generation))]
            }
            _ => Vec::new(),
        };
        Self(told(&error, error.code()), more)
    }
}
