//! API keys: how services show who they are.
//!
//! Owns: making, listing, checking and revoking keys; the signing secrets of workers' keys.
//! Must not: keep a key's secret. Its digest is enough; a signing secret is kept sealed.

mod create;
mod manage;
mod seal;

use std::sync::Arc;

use secrecy::SecretString;
use serde::Serialize;
use tidegate_db::DbError;
use tidegate_types::{ErrorCode, KeyId, Secret, Timestamp, UserId};

pub(crate) use seal::open as open_seal;

use crate::Scope;

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// What it is called.
    pub name: Arc<str>,
    /// What it may do.
    pub scopes: Arc<[Scope]>,
    /// Whose it is, if it is a user's.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it does not work any more.
    pub revoked_at: Option<Timestamp>,
    /// Whether it has a signing secret.
    pub signs: bool,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it shall be called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// Whose it is, if it is a user's.
    pub owner: Option<UserId>,
}

/// A new key with what is shown only once.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    /// The key.
    pub key: Key,
    /// Its secret.
    pub secret: Secret,
    /// What its calls can be signed with (`whsec_…`), if it is a worker's.
    pub signing_secret: Option<SecretString>,
}

/// No key was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, too long, or not printable.
    #[error("a key's name is 1 to 100 printable characters")]
    Name,
    /// No scopes, or too many.
    #[error("a key has 1 to 64 scopes")]
    Scopes,
    /// It would never work.
    #[error("the key would have expired already")]
    Expired,
    /// There is no such user.
    #[error("the key's owner does not exist")]
    UnknownOwner,
    /// The signing secret could not be sealed.
    #[error("the signing secret could not be sealed")]
    Seal,
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl KeyError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Name | Self::Scopes | Self::Expired | Self::UnknownOwner => ErrorCode::ValidationFailed,
            Self::Seal => ErrorCode::Internal,
            Self::Db(error) => error.code(),
        }
    }

    /// The member of the request that is at fault, as a JSON pointer.
    #[must_use]
    pub const fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::Name => Some("/name"),
            Self::Scopes => Some("/scopes"),
            Self::Expired => Some("/expires_at"),
            Self::UnknownOwner => Some("/owner"),
            Self::Seal | Self::Db(_) => None,
        }
    }
}
