//! Accounts: who may sign in, and with what.
//!
//! Owns: registration, sign-in, password changes, and what an operator may do to an account.
//! Must not: tell an unknown email from a wrong password, neither in words nor in time.

mod email;
mod login;
mod operate;
mod password;
mod present;
mod register;

use std::sync::Arc;

use secrecy::SecretString;
use serde::Serialize;
use tidegate_db::DbError;
use tidegate_types::{ErrorCode, SessionId, Timestamp, UserId};

pub(crate) use present::{Present, service_of};

use crate::Role;
use crate::passwords::{HashError, PasswordRejected};
use crate::rates::RetryAfter;
use crate::sessions::Issued;

/// An account, as others may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its email as it was given; empty if an outside issuer names none.
    pub email: Arc<str>,
    /// The name to show.
    pub name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when nobody may sign in with it.
    pub disabled_at: Option<Timestamp>,
}

/// An account to be made by whoever has the data folder, or by an admin.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its email.
    pub email: String,
    /// Its password.
    pub password: SecretString,
    /// What it may do.
    pub role: Role,
    /// The name to show.
    pub name: Option<String>,
}

/// What somebody registers with.
#[derive(Clone, Debug)]
pub struct Register {
    /// Their email.
    pub email: String,
    /// Their password.
    pub password: SecretString,
    /// The name to show.
    pub name: Option<String>,
}

/// What somebody signs in with.
#[derive(Clone, Debug)]
pub struct Login {
    /// Their email.
    pub email: String,
    /// Their password.
    pub password: SecretString,
}

/// What a password is changed with.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// The password as it is.
    pub current: SecretString,
    /// The password as it shall be.
    pub new: SecretString,
}

/// A session began.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who signed in.
    pub user: User,
    /// Their session.
    pub session_id: SessionId,
    /// What to hand out for it.
    pub issued: Issued,
}

/// The text is no email address that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct EmailError;

/// No account was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The email is none.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// The name is longer than 200 characters or holds control characters.
    #[error("a name has at most 200 printable characters")]
    Name,
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordRejected),
    /// Another account has the email.
    #[error("email already registered")]
    EmailTaken,
    /// Too often.
    #[error(transparent)]
    RateLimited(#[from] RetryAfter),
    /// The password could not be hashed now.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl RegisterError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Email(_) | Self::Name => ErrorCode::ValidationFailed,
            Self::Password(rejected) => rejected.code(),
            Self::EmailTaken => ErrorCode::EmailTaken,
            Self::RateLimited(limited) => limited.code(),
            Self::Hash(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    /// The member of the request that is at fault, as a JSON pointer.
    #[must_use]
    pub const fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::Email(_) | Self::EmailTaken => Some("/email"),
            Self::Name => Some("/name"),
            Self::Password(_) => Some("/password"),
            Self::RateLimited(_) | Self::Hash(_) | Self::Db(_) => None,
        }
    }

    /// When to try again, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(RetryAfter(seconds)) => Some(*seconds),
            Self::Hash(error) => error.retry_after(),
            Self::Email(_) | Self::Name | Self::Password(_) | Self::EmailTaken | Self::Db(_) => None,
        }
    }
}

/// Nobody was signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Unknown email or wrong password; nobody learns which.
    #[error("email or password is wrong")]
    InvalidCredentials,
    /// The password was right, but the account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// Too often.
    #[error(transparent)]
    RateLimited(#[from] RetryAfter),
    /// The password could not be hashed now.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The password is longer than any that is taken.
    #[error(transparent)]
    Password(#[from] PasswordRejected),
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl LoginError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidCredentials => ErrorCode::InvalidCredentials,
            Self::Disabled => ErrorCode::AccountDisabled,
            Self::RateLimited(limited) => limited.code(),
            Self::Hash(error) => error.code(),
            Self::Password(rejected) => rejected.code(),
            Self::Db(error) => error.code(),
        }
    }

    /// When to try again, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(RetryAfter(seconds)) => Some(*seconds),
            Self::Hash(error) => error.retry_after(),
            Self::InvalidCredentials | Self::Disabled | Self::Password(_) | Self::Db(_) => None,
        }
    }
}

/// The password stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The present password was not given.
    #[error("the present password is wrong")]
    WrongCurrent,
    /// The account has no password with us: an outside issuer vouches for it.
    #[error("this account has no password here")]
    NoPassword,
    /// The new password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordRejected),
    /// Too often.
    #[error(transparent)]
    RateLimited(#[from] RetryAfter),
    /// The password could not be hashed now.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl PasswordError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::WrongCurrent => ErrorCode::InvalidCredentials,
            Self::NoPassword => ErrorCode::Forbidden,
            Self::Password(rejected) => rejected.code(),
            Self::RateLimited(limited) => limited.code(),
            Self::Hash(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    /// When to try again, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(RetryAfter(seconds)) => Some(*seconds),
            Self::Hash(error) => error.retry_after(),
            Self::WrongCurrent | Self::NoPassword | Self::Password(_) | Self::Db(_) => None,
        }
    }
}

/// An operator's change to an account did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// There is no such account.
    #[error("no such user")]
    NotFound,
    /// The new password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordRejected),
    /// The password could not be hashed now.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl UserError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Password(rejected) => rejected.code(),
            Self::Hash(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }
}
