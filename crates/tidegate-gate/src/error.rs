//! The failures that many operations share.

use tidegate_db::DbError;
use tidegate_types::ErrorCode;

/// The gate could not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// A setting cannot be used.
    #[error("{setting}: {reason}")]
    Config {
        /// The setting, as it is named in the configuration.
        setting: &'static str,
        /// What is wrong with it; never its value.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl GateError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Config { .. } => ErrorCode::Internal,
            Self::Db(error) => error.code(),
        }
    }
}

/// A credential was not accepted. Says no more than the client may know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Malformed, forged, revoked, or made for another service.
    #[error("the credential is not accepted")]
    Invalid,
    /// The access token is genuine, but too old.
    #[error("the access token has expired")]
    Expired,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl AuthError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid => ErrorCode::InvalidToken,
            Self::Expired => ErrorCode::TokenExpired,
            Self::Disabled => ErrorCode::AccountDisabled,
            Self::Db(error) => error.code(),
        }
    }
}
