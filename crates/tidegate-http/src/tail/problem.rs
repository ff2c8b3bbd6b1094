//! Failures of a tail's opening as answers.
//!
//! Owns: nothing but the mapping; each error says its own code.
//! Must not: tell more than the code says.

use tidegate_gate::{Refused, TicketError};
use tidegate_log::{LogError, ReadError};

use crate::problem::Problem;

impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        Self::of_domain(&error, error.code())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let problem = Self::new(refused.code);
        // Zero means that waiting won't help: the credential was revoked meanwhile.
        if refused.retry_after_s == 0 { problem } else { problem.retry_after(refused.retry_after_s) }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        Self::of_domain(&error, error.code())
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        Self::of_domain(&error, error.code())
    }
}
