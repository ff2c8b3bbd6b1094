//! API keys: how services show who they are.
//!
//! Owns: making, listing, checking and revoking keys; the signing secrets of workers' keys.
//! Must not: keep a key's secret. Its digest is enough; a signing secret is kept sealed.

use std::sync::Arc;

use secrecy::SecretString;
use serde::Serialize;
use tidegate_db::DbError;
use tidegate_types::{ErrorCode, KeyId, Secret, Timestamp, UserId};

use crate::store::db_code;
use crate::{Actor, ClientFacts, Gate, GateError, Scope};

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
            Self::Db(error) => db_code(error),
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

fn later() -> DbError {
    DbError::Unavailable("not there yet".to_owned())
}

impl Gate {
    /// Makes a key. Its secrets can't be asked for again.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn create_key(&self, _new: NewKey, _facts: &ClientFacts) -> Result<CreatedKey, KeyError> {
        Err(later().into())
    }

    /// The key with this id.
    ///
    /// # Errors
    /// The store failed.
    pub async fn lookup_key(&self, _id: KeyId) -> Result<Option<Key>, GateError> {
        Err(later().into())
    }

    /// The keys that work or worked, newest first: of one owner, or all.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_keys(&self, _owner: Option<UserId>) -> Result<Vec<Key>, GateError> {
        Err(later().into())
    }

    /// Revokes a key; answers whether it worked until now.
    ///
    /// # Errors
    /// The store failed.
    pub async fn revoke_key(&self, _id: KeyId, _by: Actor, _facts: &ClientFacts) -> Result<bool, GateError> {
        Err(later().into())
    }
}
