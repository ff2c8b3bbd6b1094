//! Sessions: a signed-in browser or device.
//!
//! Owns: how sessions begin, are refreshed, are listed and end; refresh tokens and session cookies.
//! Must not: keep anything at rest that would open a session.

mod cookie;
mod end;
mod refresh;
mod refresh_token;
mod start;

use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use tidegate_db::DbError;
use tidegate_types::{ErrorCode, SessionId, Timestamp, UserId};

use crate::rates::RetryAfter;
use crate::tokens::Tokens;

/// What a session is carried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// An access token and a refresh token.
    Token,
    /// The same, with an access token of another life than the configured one: front ends that
    /// never refresh.
    TokenFor(Duration),
    /// A cookie.
    Cookie,
}

/// What is handed out when a session begins.
#[derive(Clone, Debug)]
pub enum Issued {
    /// Tokens, for the body of the answer.
    Tokens(Tokens),
    /// A value for a cookie.
    Cookie(SessionCookie),
}

/// The value of a session cookie.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    /// The opaque value.
    pub value: SecretString,
    /// Until when it can be used at most.
    pub expires_at: Timestamp,
}

/// A session, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    #[serde(skip)]
    pub user_id: UserId,
    /// `token` or `cookie`.
    pub kind: &'static str,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last seen, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// What it was begun with.
    pub user_agent: Option<String>,
    /// From where it was begun.
    pub address: Option<String>,
}

/// A session was not refreshed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// Malformed, forged, or of a session that is over.
    #[error("the refresh token is not accepted")]
    Invalid,
    /// Spent before: the session was ended.
    #[error("the refresh token was used before")]
    Reused,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// Too often.
    #[error(transparent)]
    RateLimited(#[from] RetryAfter),
    /// The store failed. The token was not spent.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl RefreshError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid => ErrorCode::InvalidToken,
            Self::Reused => ErrorCode::RefreshReused,
            Self::Disabled => ErrorCode::AccountDisabled,
            Self::RateLimited(limited) => limited.code(),
            Self::Db(error) => error.code(),
        }
    }

    /// When to try again, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(RetryAfter(seconds)) => Some(*seconds),
            Self::Invalid | Self::Reused | Self::Disabled | Self::Db(_) => None,
        }
    }
}
