//! Failures of generations as answers.

use tidegate_generations::{
    CancelError, ClaimError, CreateError, DeleteError, GenerationsError, Invalid, RetryError, WorkError,
};
use tidegate_types::ErrorCode;

use crate::problem::Problem;
use crate::wire::{told, told_as_they_are};

told_as_they_are! { GenerationsError CancelError RetryError DeleteError }

fn invalid(field: Invalid) -> Problem {
    let problem = Problem::new(ErrorCode::ValidationFailed).detail(field.to_string());
    problem.field(field.pointer, "invalid", field.detail)
}

macro_rules! with_a_field {
    ($($error:ident)*) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                match error {
                    $error::Invalid(field) => invalid(field),
                    error => told(&error, error.code()),
                }
            }
        }
    )*};
}

with_a_field! { CreateError ClaimError WorkError }
