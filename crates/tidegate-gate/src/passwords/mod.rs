//! Passwords: which are taken, and how they are hashed.
//!
//! Owns: the rules, Argon2id, and the bound on how many hashes are computed at once.
//! Must not: keep a password longer than its hash takes, or hash on the runtime's own threads.

mod pool;
mod rules;

use tidegate_types::ErrorCode;

pub(crate) use pool::{HashNewError, HashPool};
pub(crate) use rules::check_length;

/// What one Argon2id hash costs (OWASP's floor by default). Only tests want less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordParams {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordParams {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// A password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRejected {
    /// Fewer than 8 bytes.
    #[error("a password has at least 8 characters")]
    TooShort,
    /// More than 1,024 bytes.
    #[error("a password has at most 1,024 bytes")]
    TooLong,
    /// Among the first that anyone would guess.
    #[error("the password is too easy to guess")]
    Common,
}

impl PasswordRejected {
    /// What the client is told.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::TooShort | Self::Common => ErrorCode::WeakPassword,
            Self::TooLong => ErrorCode::PasswordTooLong,
        }
    }
}

/// A hash could not be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many wait already, or it took too long to get a turn.
    #[error("too many passwords are being checked")]
    Busy,
    /// A stored hash cannot be read, or the parameters are not possible.
    #[error("the password could not be hashed: {0}")]
    Bug(String),
}

impl HashError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Busy => ErrorCode::Overloaded,
            Self::Bug(_) => ErrorCode::Internal,
        }
    }

    /// When to try again, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Busy => Some(2),
            Self::Bug(_) => None,
        }
    }
}
