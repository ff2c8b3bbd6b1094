//! What can go wrong with the database, in the few kinds that callers treat differently.

use rusqlite::ErrorCode as Sqlite;
use tidegate_types::ErrorCode;

/// Why a read or a write did not happen. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// The disk or the quota is full; reads go on.
    #[error("storage is full")]
    StorageFull,
    /// The database cannot be used now: closed, locked by another process, or failed for good.
    #[error("database is unavailable: {0}")]
    Unavailable(String),
    /// The queue of writes is full; the caller should try later.
    #[error("too many writes are waiting")]
    Overloaded,
    /// A statement broke a constraint that the caller did not handle itself.
    #[error("constraint broken: {0}")]
    Constraint(String),
    /// A bug: bad SQL, wrong types, a job that panicked.
    #[error("database bug: {0}")]
    Bug(String),
}

impl DbError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::StorageFull => ErrorCode::StorageFull,
            Self::Unavailable(_) => ErrorCode::DatabaseUnavailable,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::Constraint(_) | Self::Bug(_) => ErrorCode::Internal,
        }
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(Sqlite::DiskFull) => Self::StorageFull,
            Some(Sqlite::ConstraintViolation) => Self::Constraint(error.to_string()),
            Some(
                Sqlite::DatabaseBusy
                | Sqlite::DatabaseLocked
                | Sqlite::SystemIoFailure
                | Sqlite::CannotOpen
                | Sqlite::ReadOnly
                | Sqlite::PermissionDenied
                | Sqlite::NotADatabase
                | Sqlite::DatabaseCorrupt
                | Sqlite::FileLockingProtocolFailed
                | Sqlite::OutOfMemory,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Bug(error.to_string()),
        }
    }
}

/// Why storage failed for good, once it did.
pub(crate) type Failed = tokio::sync::watch::Sender<Option<String>>;

/// After an error that leaves open what is on the disk nothing is written until the next start.
pub(crate) fn note_failure(failed: &Failed, what: &str, error: &rusqlite::Error) {
    if is_fatal(error) {
        tracing::error!(%error, "{what} failed; writing stops until the next start");
        failed.send_replace(Some(format!("{what} failed: {error}")));
    } else {
        tracing::warn!(%error, "{what} failed");
    }
}

/// Whether a failure means that storage can't be trusted any more.
fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(Sqlite::SystemIoFailure | Sqlite::DatabaseCorrupt))
}

/// Why the database could not be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The linked SQLite has a bug that loses committed writes.
    #[error("SQLite {found} is too old: {floor} or newer is needed")]
    SqliteTooOld {
        /// The version that is linked.
        found: &'static str,
        /// The oldest version that is safe.
        floor: &'static str,
    },
    /// The file or its folder cannot be used.
    #[error("cannot open {path}: {reason}")]
    Open {
        /// The database file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A migration did not apply, or was changed after it had been applied.
    #[error("cannot bring the tables of `{owner}` up to date: {reason}")]
    Migrate {
        /// The crate that owns the tables.
        owner: &'static str,
        /// What went wrong.
        reason: String,
    },
}
