//! Failures of generations as answers.

use tidegate_generations::{
    CancelError, ClaimError, CreateError, DeleteError, GenerationsError, Invalid, RetryError, WorkError,
};
use tidegate_types::ErrorCode;

use crate::problem::Problem;
use crate::wire::told;

impl From<GenerationsError> for Problem {
    fn from(error: GenerationsError) -> Self {
        told(&error, error.code())
    }
}

fn invalid(field: Invalid) -> Problem {
    let problem = Problem::new(ErrorCode::ValidationFailed).detail(field.to_string());
    problem.field(field.pointer, "invalid", field.detail)
}

macro_rules! operation_problems {
    ($($error:ident { $($invalid:ident)? })*) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                match error {
                    $($error::$invalid(field) => invalid(field),)?
                    error => told(&error, error.code()),
                }
            }
        }
    )*};
}

operation_problems! {
    CreateError { Invalid }
    CancelError { }
    RetryError { }
    DeleteError { }
    ClaimError { Invalid }
    WorkError { Invalid }
}
