//! What can go wrong, one enum per operation.

use tidegate_db::DbError;
use tidegate_log::{AppendError, CreateError, LogError, ReadError};
use tidegate_types::{ErrorCode, UserId};

use crate::{EventTypeError, Violation};

/// The events could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EventsError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stream, or the users, could not be read or written; the code says which kind of failure.
    #[error("{detail}")]
    Stream {
        /// How it is told to clients.
        code: ErrorCode,
        /// What happened, for the log.
        detail: String,
    },
}

impl EventsError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Db(error) => error.code(),
            Self::Stream { code, .. } => *code,
        }
    }
}

impl EventsError {
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        Self::Stream { code: ErrorCode::Internal, detail: error.to_string() }
    }
}

tidegate_db::coded_errors!(EventsError::Stream from LogError, CreateError, AppendError, ReadError);

/// An event was not published.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The audience names nobody.
    #[error("name at least one user")]
    NobodyNamed,
    /// The audience names more users than one call may.
    #[error("at most {limit} users may be named, not {named}")]
    TooManyUsers {
        /// How many were named.
        named: usize,
        /// How many may be.
        limit: u64,
    },
    /// There is no such user; nobody was sent anything.
    #[error("there is no user {user}")]
    UnknownUser {
        /// Which place in the list, if a list was given.
        index: Option<usize>,
        /// Who is missing.
        user: UserId,
    },
    /// The event's own id is empty, too long or not printable.
    #[error("an event's id is 1 to 128 printable characters")]
    BadId,
    /// The data does not match the schema of its type.
    #[error("the data does not match the schema of `{event_type}`")]
    Schema {
        /// The type whose schema it is.
        event_type: String,
        /// Each place, bounded.
        violations: Vec<Violation>,
    },
    /// More broadcasts are waiting than the server keeps.
    #[error("too many broadcasts are under way")]
    TooManyBroadcasts,
    /// Reading or writing failed.
    #[error(transparent)]
    Events(#[from] EventsError),
}

impl PublishError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NobodyNamed | Self::TooManyUsers { .. } | Self::UnknownUser { .. } | Self::BadId => {
                ErrorCode::ValidationFailed
            }
            Self::Schema { .. } => ErrorCode::SchemaViolation,
            Self::TooManyBroadcasts => ErrorCode::Overloaded,
            Self::Events(error) => error.code(),
        }
    }

    /// The member of the request that is at fault, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> Option<String> {
        match self {
            Self::NobodyNamed | Self::TooManyUsers { .. } => Some("/user_ids".to_owned()),
            Self::UnknownUser { index: Some(index), .. } => Some(format!("/user_ids/{index}")),
            Self::UnknownUser { index: None, .. } => Some("/user_id".to_owned()),
            Self::BadId => Some("/id".to_owned()),
            Self::Schema { .. } => Some("/data".to_owned()),
            Self::TooManyBroadcasts | Self::Events(_) => None,
        }
    }
}

impl From<DbError> for PublishError {
    fn from(error: DbError) -> Self {
        Self::Events(error.into())
    }
}

/// A type was not registered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RegisterError {
    /// The name is no event type.
    #[error(transparent)]
    Name(#[from] EventTypeError),
    /// The type is one of the server's own.
    #[error("`{0}` is published by the server itself")]
    Own(String),
    /// The description is too long.
    #[error("a description has at most 1,024 bytes")]
    DescriptionTooLong,
    /// The schema is not accepted.
    #[error("the schema is not accepted: {0}")]
    Schema(String),
    /// The catalogue is full.
    #[error("the catalogue holds at most {0} types")]
    Full(u64),
    /// Reading or writing failed.
    #[error(transparent)]
    Events(#[from] EventsError),
}

impl RegisterError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Name(error) => error.code(),
            Self::Own(_) | Self::Full(_) => ErrorCode::Conflict,
            Self::DescriptionTooLong | Self::Schema(_) => ErrorCode::ValidationFailed,
            Self::Events(error) => error.code(),
        }
    }
}

impl From<DbError> for RegisterError {
    fn from(error: DbError) -> Self {
        Self::Events(error.into())
    }
}
