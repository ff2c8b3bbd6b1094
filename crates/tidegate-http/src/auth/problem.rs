//! Refusals of the gate as answers: the error says its code, its place and its time.

use std::fmt::Display;

use tidegate_gate::{LoginError, PasswordError, PasswordRejected, RefreshError, RegisterError};
use tidegate_types::ErrorCode;

use crate::problem::Problem;

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        let told = of(&error, error.code(), error.retry_after());
        match error.pointer() {
            Some(pointer) => told.field(pointer, reason(error.code()), error.to_string()),
            None => told,
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        of(&error, error.code(), error.retry_after())
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        of(&error, error.code(), error.retry_after())
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        let told = of(&error, error.code(), error.retry_after());
        match &error {
            PasswordError::Password(rejected) => rejected_at(told, *rejected, "/new_password"),
            PasswordError::WrongCurrent => told.detail("the present password is wrong"),
            PasswordError::NoPassword => told.detail("this account has no password here"),
            PasswordError::RateLimited(_) | PasswordError::Hash(_) | PasswordError::Db(_) => told,
        }
    }
}

fn rejected_at(told: Problem, rejected: PasswordRejected, pointer: &'static str) -> Problem {
    told.field(pointer, reason(rejected.code()), rejected.to_string())
}

fn of(error: &dyn Display, code: ErrorCode, retry_after: Option<u32>) -> Problem {
    let problem = Problem::of_domain(error, code);
    match retry_after {
        Some(seconds) => problem.retry_after(seconds),
        None => problem,
    }
}

const fn reason(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::ValidationFailed => "invalid",
        code => code.as_str(),
    }
}
