//! Domain errors as problems that say what happened.

use std::fmt::Display;

use tidegate_types::ErrorCode;

use crate::problem::Problem;

/// A domain error as an answer. Its text is shown when the fault is the client's, and kept for
/// the log when it is ours.
pub(crate) fn told(error: &dyn Display, code: ErrorCode) -> Problem {
    let problem = Problem::of_domain(error, code);
    if code.status() >= 500 { problem } else { problem.detail(error.to_string()) }
}

/// Domain errors whose answer is their code and text and nothing more.
macro_rules! told_as_they_are {
    ($($error:ident)*) => {$(
        impl From<$error> for $crate::problem::Problem {
            fn from(error: $error) -> Self {
                $crate::wire::told(&error, error.code())
            }
        }
    )*};
}
pub(crate) use told_as_they_are;
