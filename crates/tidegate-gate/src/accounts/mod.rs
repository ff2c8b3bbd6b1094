//! Accounts: who may sign in, and with what.
//!
//! Owns: registration, sign-in, password changes, and what an operator may do to an account.
//! Must not: tell an unknown email from a wrong password, neither in words nor in time.

use std::sync::Arc;

use secrecy::SecretString;
use serde::Serialize;
use tidegate_db::DbError;
use tidegate_types::{ErrorCode, SessionId, Timestamp, UserId};

use crate::passwords::{HashError, PasswordRejected};
use crate::rates::RetryAfter;
use crate::sessions::Issued;
use crate::store::db_code;
use crate::{Actor, ClientFacts, Gate, GateError, Role, SessionKind, UserPrincipal};

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
            Self::Db(error) => db_code(error),
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
            Self::Db(error) => db_code(error),
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
            Self::Db(error) => db_code(error),
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
            Self::Db(error) => db_code(error),
        }
    }
}

fn later() -> DbError {
    DbError::Unavailable("not there yet".to_owned())
}

impl Gate {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn register(
        &self,
        _new: Register,
        _kind: SessionKind,
        _facts: &ClientFacts,
    ) -> Result<SignedIn, RegisterError> {
        Err(later().into())
    }

    /// Signs an account in.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn login(
        &self,
        _login: Login,
        _kind: SessionKind,
        _facts: &ClientFacts,
    ) -> Result<SignedIn, LoginError> {
        Err(later().into())
    }

    /// Changes the user's own password; all their other sessions end.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub async fn change_password(
        &self,
        _user: &UserPrincipal,
        _change: ChangePassword,
        _facts: &ClientFacts,
    ) -> Result<(), PasswordError> {
        Err(later().into())
    }

    /// The account with this id.
    ///
    /// # Errors
    /// The store failed.
    pub async fn lookup_user(&self, _id: UserId) -> Result<Option<User>, GateError> {
        Err(later().into())
    }

    /// The account that signs in with this email.
    ///
    /// # Errors
    /// The store failed.
    pub async fn find_user_by_email(&self, _email: &str) -> Result<Option<User>, GateError> {
        Err(later().into())
    }

    /// Accounts by id, after the given one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_users(&self, _after: Option<UserId>, _limit: usize) -> Result<Vec<User>, GateError> {
        Err(later().into())
    }

    /// Makes an account without signing it in; no rate limit applies.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn add_user(&self, _new: NewUser, _by: Actor) -> Result<User, RegisterError> {
        Err(later().into())
    }

    /// Disables an account and ends all its sessions, or enables it again.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn set_disabled(&self, _id: UserId, _disabled: bool, _by: Actor) -> Result<User, UserError> {
        Err(later().into())
    }

    /// Gives an account another role; its live streams end, to be opened again with it.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn set_role(&self, _id: UserId, _role: Role, _by: Actor) -> Result<User, UserError> {
        Err(later().into())
    }

    /// Gives an account another password and ends all its sessions.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn set_password(
        &self,
        _id: UserId,
        _password: SecretString,
        _by: Actor,
    ) -> Result<(), UserError> {
        Err(later().into())
    }
}
