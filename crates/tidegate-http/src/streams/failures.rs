//! Failures of the log in the protocol's own words (its statuses and headers).

use http::HeaderValue;
use tidegate_log::json::JsonError;
use tidegate_log::{AppendError, CreateError};

use super::headers;
use crate::AppState;
use crate::problem::Problem;

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Kept | CreateError::NoSource | CreateError::SourceDeleted | CreateError::TooDeep => {
                let detail = error.to_string();
                Self::of_domain(&error, error.code()).detail(detail)
            }
            CreateError::Invalid(reason) | CreateError::Position(reason) => {
                Self::of_domain(&error, error.code()).detail(reason)
            }
            error => Self::of_domain(&error, error.code()),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let problem = Self::of_domain(&error, error.code());
        match error {
            AppendError::Closed { tail } => problem
                .header(headers::CLOSED, headers::TRUE)
                .header(headers::NEXT_OFFSET, headers::offset(tail)),
            AppendError::StaleEpoch { current } => {
                problem.header(headers::PRODUCER_EPOCH, HeaderValue::from(current))
            }
            AppendError::ProducerGap { expected, received } => problem
                .header(headers::EXPECTED_SEQ, HeaderValue::from(expected))
                .header(headers::RECEIVED_SEQ, HeaderValue::from(received)),
            AppendError::TailMoved { tail } => problem.header(headers::NEXT_OFFSET, headers::offset(tail)),
            AppendError::EpochStart => problem.detail("a new epoch begins with Producer-Seq 0"),
            _ => problem,
        }
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        let detail = error.to_string();
        Self::of_domain(&error, error.code()).detail(detail)
    }
}

/// Whether each record of such a stream is one JSON value.
pub(super) fn is_json(content_type: &str) -> bool {
    same_type(content_type, "application/json")
}

/// Whether two content types name the same media type; parameters don't count.
pub(super) fn same_type(a: &str, b: &str) -> bool {
    fn essence(text: &str) -> &str {
        text.split_once(';').map_or(text, |(essence, _)| essence).trim()
    }
    essence(a).eq_ignore_ascii_case(essence(b))
}

pub(super) fn json_depth(state: &AppState) -> usize {
    usize::try_from(state.limits().json_depth).unwrap_or(usize::MAX)
}
