//! Why no key was made, as an answer.

use tidegate_gate::KeyError;

use crate::problem::Problem;

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let problem = Self::of_domain(&error, error.code());
        match error.pointer() {
            Some(pointer) => problem.field(pointer, "invalid", error.to_string()),
            None => problem,
        }
    }
}
