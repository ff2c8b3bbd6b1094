//! Failures of an operator's calls as answers.

use tidegate_gate::UserError;

use crate::problem::Problem;

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        Self::of_domain(&error, error.code())
    }
}
