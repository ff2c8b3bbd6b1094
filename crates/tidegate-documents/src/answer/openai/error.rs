//! What can go wrong with a model, whether it is worth another try, and whose fault it is.

use std::time::Duration;

use super::upstream::UpstreamError;
use crate::answer::AnswerFailed;

/// The longest that `Retry-After` is heeded: somebody waits in front of a screen.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(15);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ModelError {
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// An error status, and how long it asks to wait.
    #[error("answered {0}")]
    Status(u16, Option<Duration>),
    #[error("no words within the time for the first ones")]
    SilentAtFirst,
    #[error("fell silent in the middle")]
    FellSilent,
    #[error("the answer took longer than it may")]
    TookTooLong,
    #[error("broke off in the middle")]
    BrokeOff,
    #[error("reported an error in the middle")]
    Failed,
    #[error("does not speak the protocol: {0}")]
    Protocol(&'static str),
    #[error("the model's own filter withheld the answer")]
    Withheld,
}

impl ModelError {
    /// Whether the same request may do better, as long as no word has come.
    pub(super) const fn is_transient(&self) -> bool {
        match self {
            Self::Upstream(UpstreamError::Unreachable(_) | UpstreamError::Broken(_)) => true,
            Self::Status(status, _) => matches!(status, 408 | 409 | 425 | 429 | 500 | 502 | 503 | 504 | 529),
            Self::BrokeOff | Self::Failed => true,
            Self::Upstream(UpstreamError::Address(_))
            | Self::SilentAtFirst
            | Self::FellSilent
            | Self::TookTooLong
            | Self::Protocol(_)
            | Self::Withheld => false,
        }
    }

    /// How long to wait at least before another try.
    pub(super) fn wait_at_least(&self) -> Option<Duration> {
        match self {
            Self::Status(_, after) => after.map(|after| after.min(RETRY_AFTER_MAX)),
            _ => None,
        }
    }
}

impl From<ModelError> for AnswerFailed {
    fn from(error: ModelError) -> Self {
        tracing::warn!(error.message = %error, "a model did not answer");
        match error {
            ModelError::Upstream(UpstreamError::Address(_)) => {
                Self::operator("model-address", "The address of the model's service can't be used.")
            }
            ModelError::Upstream(UpstreamError::Unreachable(_)) => {
                Self::model("model-unreachable", "The model's service can't be reached.")
            }
            ModelError::Upstream(UpstreamError::Broken(_)) | ModelError::BrokeOff => {
                Self::model("model-broke-off", "The model's service broke off its answer.")
            }
            ModelError::Status(status, _) => of_status(status),
            ModelError::SilentAtFirst => {
                Self::model("model-timeout", "The model's service did not begin to answer in time.")
            }
            ModelError::FellSilent => {
                Self::model("model-timeout", "The model's service fell silent in the middle of its answer.")
            }
            ModelError::TookTooLong => {
                Self::model("model-timeout", "The model took too long for its answer.")
            }
            ModelError::Failed => Self::model("model-failed", "The model's service failed."),
            ModelError::Protocol(why) => {
                let detail = format!("The model's service does not answer as the protocol says: {why}.");
                Self::model("model-protocol", detail)
            }
            ModelError::Withheld => {
                Self::model("model-withheld", "The filter of the model's service withheld the answer.")
            }
        }
    }
}

fn of_status(status: u16) -> AnswerFailed {
    match status {
        401 | 403 => AnswerFailed::operator(
            "model-key-refused",
            format!("The model's service refused the server's key ({status})."),
        ),
        404 => AnswerFailed::operator(
            "model-unknown",
            "The model's service knows no such model or path (404).".to_owned(),
        ),
        429 => {
            AnswerFailed::model("model-busy", "The model's service takes no more questions just now (429).")
        }
        300..=499 => AnswerFailed::operator(
            "model-refused",
            format!("The model's service refused the request ({status})."),
        ),
        _ => AnswerFailed::model("model-failed", format!("The model's service failed ({status}).")),
    }
}
