//! What can go wrong, one enum per operation.

use std::io;

use tidegate_db::DbError;
use tidegate_events::EventsError;
use tidegate_log::{AppendError, CreateError, LogError, ReadError};
use tidegate_types::ErrorCode;

/// Reading or writing failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DocumentsError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A file could not be read or written; never names a path.
    #[error("a file of the store cannot be used: {detail}")]
    File {
        /// How it is told to clients.
        code: ErrorCode,
        /// What the system said.
        detail: String,
    },
    /// A stream or a feed could not be read or written.
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

impl DocumentsError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Db(error) => error.code(),
            Self::File { code, .. } | Self::Stream { code, .. } => *code,
            Self::Cursor => ErrorCode::InvalidCursor,
        }
    }

    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        Self::Stream { code: ErrorCode::Internal, detail: error.to_string() }
    }
}

impl From<io::Error> for DocumentsError {
    fn from(error: io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
            _ => ErrorCode::Internal,
        };
        Self::File { code, detail: error.to_string() }
    }
}

tidegate_db::coded_errors!(DocumentsError::Stream from LogError, CreateError, AppendError, ReadError, EventsError);

tidegate_db::operation_errors! {
    Documents(DocumentsError);
    /// A file was not taken.
    UploadError {
        /// It has more bytes than one file may have.
        TooLarge(u64) = "the file has more than {0} bytes", ErrorCode::BodyTooLarge;
        /// An archive that would unpack to too much.
        UnpacksToTooMuch(String) = "{0}", ErrorCode::BodyTooLarge;
        /// It is none of the kinds that are taken, or not what its name says.
        NotAccepted(String) = "{0}", ErrorCode::UnsupportedMediaType;
        /// It is of a kind that is taken, and can't be read.
        Unprocessable(String) = "{0}", ErrorCode::DocumentUnprocessable;
        /// Its owner has as many documents, or bytes, as one user may have.
        TooMany(String) = "{0}", ErrorCode::DocumentLimit;
        /// Its sender broke off.
        BrokenOff = "the file ended early", ErrorCode::InvalidRequest;
    }
    /// A document was not deleted.
    DeleteError {
        /// There is no such document.
        NotFound = "there is no such document", ErrorCode::NotFound;
    }
    /// A search found no answer.
    SearchError {
        /// The store's index failed.
        Index(String) = "the search failed: {0}", ErrorCode::Internal;
    }
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        Self::Documents(error.into())
    }
}
