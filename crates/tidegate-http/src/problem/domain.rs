//! From a domain error to a problem: the error says its code, the edge only carries it.
//!
//! Owns: what is logged of failures that are not the client's.
//! Must not: send a domain error's text to a client when the fault is ours.

use std::fmt::Display;

use tidegate_types::ErrorCode;

use super::Problem;

impl Problem {
    /// A domain error with its code. A fault of ours is logged and its text kept from the client.
    pub(crate) fn of_domain(error: &dyn Display, code: ErrorCode) -> Self {
        if code.status() >= 500 {
            tracing::error!(error.message = %error, problem.code = code.as_str(), "request failed");
            return Self::new(code);
        }
        Self::new(code)
    }
}
