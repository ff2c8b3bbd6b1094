//! What can go wrong, one enum per operation.

use tidegate_db::DbError;
use tidegate_log::{AppendError, LogError, ReadError};
use tidegate_types::ErrorCode;

use crate::{InvalidTransition, Status};

/// Reading or writing failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GenerationsError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stream could not be read or written; the code says which kind of failure.
    #[error("{detail}")]
    Stream {
        /// How it is told to clients.
        code: ErrorCode,
        /// What happened, for the log.
        detail: String,
    },
    /// The list's cursor is not one of ours.
    #[error("the cursor is not one that a list answered")]
    Cursor,
}

impl GenerationsError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Db(error) => error.code(),
            Self::Stream { code, .. } => *code,
            Self::Cursor => ErrorCode::InvalidCursor,
        }
    }
}

impl GenerationsError {
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        Self::Stream { code: ErrorCode::Internal, detail: error.to_string() }
    }

    /// The row is not what the stream says: it has moved on, ended, or is gone.
    pub(crate) const fn is_stale(error: &AppendError) -> bool {
        matches!(error, AppendError::TailMoved { .. } | AppendError::Closed { .. } | AppendError::NotFound)
    }

    /// There is no such stream.
    pub(crate) const fn is_missing(error: &ReadError) -> bool {
        matches!(error, ReadError::NotFound)
    }
}

tidegate_db::coded_errors!(GenerationsError::Stream from LogError, AppendError, ReadError);

/// A field that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct Invalid {
    /// A JSON pointer into the request.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Invalid {
    /// A field by its JSON pointer and what is wrong with it, as in "is empty".
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

tidegate_db::operation_errors! {
    Generations(GenerationsError);
    /// A generation was not created.
    CreateError {
        /// A field is not valid.
        Invalid(Invalid) = "{0}", ErrorCode::ValidationFailed;
        /// No such framework is configured.
        UnknownFramework(String) = "there is no framework `{0}`", ErrorCode::UnknownFramework;
        /// The id belongs to another owner, or to another body.
        IdTaken = "the id is taken", ErrorCode::IdTaken;
    }
    /// A generation was not cancelled.
    CancelError {
        /// There is no such generation.
        NotFound = "there is no such generation", ErrorCode::NotFound;
        /// It has ended.
        Finished(Status) = "the generation is {0} already", ErrorCode::InvalidTransition;
    }
    /// A generation was not repeated.
    RetryError {
        /// There is no such generation, or it is not the caller's.
        NotFound = "there is no such generation", ErrorCode::NotFound;
        /// It has not ended.
        NotFinished(Status) = "the generation is {0}; only a finished one can be repeated", ErrorCode::InvalidTransition;
        /// Its framework is not configured any more.
        UnknownFramework(String) = "there is no framework `{0}`", ErrorCode::UnknownFramework;
    }
    /// A generation was not deleted.
    DeleteError {
        /// There is no such generation.
        NotFound = "there is no such generation", ErrorCode::NotFound;
    }
    /// A claim was refused.
    ClaimError {
        /// A field is not valid.
        Invalid(Invalid) = "{0}", ErrorCode::ValidationFailed;
    }
    /// A worker's report was refused.
    WorkError {
        /// There is no such generation.
        NotFound = "there is no such generation", ErrorCode::NotFound;
        /// A field is not valid.
        Invalid(Invalid) = "{0}", ErrorCode::ValidationFailed;
        /// The lease is not the present one.
        Fenced = "another worker holds the lease, or nobody does", ErrorCode::Fenced;
        /// It cannot do that in its state.
        Transition(InvalidTransition) = "{0}", ErrorCode::InvalidTransition;
    }
}
