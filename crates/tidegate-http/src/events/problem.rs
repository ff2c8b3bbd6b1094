//! Failures of domain events as answers.

use tidegate_events::{EventTypeError, EventsError, FilterError, PublishError, RegisterError};

use crate::problem::{FieldError, Problem};
use crate::wire::told;

impl From<EventsError> for Problem {
    fn from(error: EventsError) -> Self {
        told(&error, error.code())
    }
}

impl From<EventTypeError> for Problem {
    fn from(error: EventTypeError) -> Self {
        Self::new(error.code()).detail(error.to_string()).field(
            "/type",
            error.code().as_str(),
            error.to_string(),
        )
    }
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        Self::new(error.code()).detail(error.to_string()).field(
            "/types",
            error.code().as_str(),
            error.to_string(),
        )
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        let code = error.code();
        let problem = told(&error, code);
        if let PublishError::Schema { violations, .. } = error {
            let places = violations.into_iter().map(|v| FieldError::new(v.pointer, code.as_str(), v.detail));
            return problem.errors(places.collect());
        }
        match error.pointer() {
            Some(pointer) => problem.field(pointer, "invalid", error.to_string()),
            None => problem,
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        told(&error, error.code())
    }
}
