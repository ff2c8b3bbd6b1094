//! Why something did not happen, one enum per operation.

use tidegate_db::DbError;
use tidegate_types::{ErrorCode, Offset, StreamPath};

/// The log itself failed; the request was in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The database failed or is full.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Stored bytes are not what was written. Nothing is returned rather than something wrong.
    #[error("stored records of stream {stream} at offset {offset} are damaged: {reason}")]
    Damaged {
        /// The stream's path.
        stream: StreamPath,
        /// Where reading stopped.
        offset: Offset,
        /// What does not fit.
        reason: &'static str,
    },
}

impl LogError {
    /// The failure as clients see it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Db(error) => error.code(),
            Self::Damaged { .. } => ErrorCode::Internal,
        }
    }
}

/// Why a stream was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The path holds a stream with other settings.
    #[error("the stream exists with another content type, expiry or state")]
    Exists,
    /// A stream was deleted here whose records forks still read.
    #[error("a deleted stream keeps this path, because forks still read its records")]
    Kept,
    /// No stream to fork.
    #[error("there is no such stream to fork")]
    NoSource,
    /// The stream to fork was deleted; only its present forks read its records.
    #[error("the stream to fork was deleted")]
    SourceDeleted,
    /// The media type is not that of the stream to fork.
    #[error("the content type is not that of the stream to fork ({expected})")]
    ContentTypeMismatch {
        /// The source's.
        expected: String,
    },
    /// The fork would begin where the source has nothing.
    #[error("{0}")]
    Position(&'static str),
    /// The fork would begin before the trim point.
    #[error("the records before {start} of the stream to fork were trimmed")]
    Trimmed {
        /// The trim point.
        start: Offset,
    },
    /// Too many forks of forks.
    #[error("the chain of forks has its greatest length")]
    TooDeep,
    /// The settings contradict each other or are out of range.
    #[error("{0}")]
    Invalid(&'static str),
    /// A record without bytes.
    #[error("a record is empty")]
    EmptyRecord,
    /// Too many writes wait.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl CreateError {
    /// The failure as clients see it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Exists => ErrorCode::StreamExists,
            Self::Kept | Self::SourceDeleted | Self::TooDeep => ErrorCode::Conflict,
            Self::NoSource => ErrorCode::NotFound,
            Self::ContentTypeMismatch { .. } => ErrorCode::ContentTypeMismatch,
            Self::Trimmed { .. } => ErrorCode::Gone,
            Self::Invalid(_) | Self::Position(_) => ErrorCode::InvalidRequest,
            Self::EmptyRecord => ErrorCode::EmptyBody,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::Log(error) => error.code(),
        }
    }
}

/// Why records were not appended. None of them was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// No stream at the path.
    #[error("no such stream")]
    NotFound,
    /// The stream was deleted; its forks still read its records.
    #[error("the stream was deleted")]
    Gone,
    /// No record and no wish to close, or a record without bytes.
    #[error("an append needs at least one record, and each record at least one byte")]
    Empty,
    /// The stream takes no more records.
    #[error("the stream is closed")]
    Closed {
        /// Its end.
        tail: Offset,
    },
    /// The media type is not the stream's.
    #[error("the content type is not the stream's ({expected})")]
    ContentTypeMismatch {
        /// The stream's.
        expected: String,
    },
    /// `Stream-Seq` does not rise.
    #[error("the sequence does not rise: the last one accepted is {last:?}")]
    SequenceConflict {
        /// The last one accepted.
        last: String,
    },
    /// A newer incarnation of the producer has taken over.
    #[error("the producer's epoch is stale: {current} is in force")]
    StaleEpoch {
        /// The epoch in force.
        current: u64,
    },
    /// The producer skipped a number.
    #[error("the producer skipped a sequence number: {expected} was expected, {received} came")]
    ProducerGap {
        /// The number to send.
        expected: u64,
        /// The number that came.
        received: u64,
    },
    /// A new epoch does not begin at zero.
    #[error("a new epoch begins with sequence number 0")]
    EpochStart,
    /// The stream ends elsewhere than the writer believed.
    #[error("the stream ends at {tail}")]
    TailMoved {
        /// Its end.
        tail: Offset,
    },
    /// A name or number is out of range.
    #[error("{0}")]
    Invalid(&'static str),
    /// Too many writes wait.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl AppendError {
    /// The failure as clients see it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Gone => ErrorCode::Gone,
            Self::Empty => ErrorCode::EmptyBody,
            Self::Closed { .. } => ErrorCode::StreamClosed,
            Self::ContentTypeMismatch { .. } => ErrorCode::ContentTypeMismatch,
            Self::SequenceConflict { .. } => ErrorCode::SequenceConflict,
            Self::StaleEpoch { .. } => ErrorCode::StaleEpoch,
            Self::ProducerGap { .. } => ErrorCode::ProducerGap,
            Self::EpochStart | Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::TailMoved { .. } => ErrorCode::Conflict,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::Log(error) => error.code(),
        }
    }
}

/// Why a read did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No stream at the path, or it expired.
    #[error("no such stream")]
    NotFound,
    /// The stream was deleted or expired; its forks still read its records.
    #[error("the stream was deleted")]
    Gone,
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl ReadError {
    /// The failure as clients see it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Gone => ErrorCode::Gone,
            Self::Log(error) => error.code(),
        }
    }
}

impl From<DbError> for CreateError {
    fn from(error: DbError) -> Self {
        Self::Log(error.into())
    }
}

impl From<DbError> for AppendError {
    fn from(error: DbError) -> Self {
        Self::Log(error.into())
    }
}

impl From<DbError> for ReadError {
    fn from(error: DbError) -> Self {
        Self::Log(error.into())
    }
}
