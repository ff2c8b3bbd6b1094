//! Who asks: a user, a service with an API key, or nobody.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidegate_types::{KeyId, SessionId, StreamPath, Timestamp, UserId};

use crate::Scope;

/// What a user may do beyond their own things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing.
    #[default]
    User,
    /// Operate the server.
    Admin,
}

impl Role {
    /// The word on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is user or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "user" => Ok(Self::User),
            "admin" => Ok(Self::Admin),
            _ => Err(UnknownRole),
        }
    }
}

/// How a user was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// One of our access tokens.
    Token,
    /// A session cookie.
    Cookie,
    /// A token of an outside issuer.
    Issuer,
    /// A ticket, or what it left behind.
    Ticket,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody we know.
    Anonymous,
    /// A user.
    User(UserPrincipal),
    /// A service, by its API key.
    Service(ServicePrincipal),
}

/// A user who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPrincipal {
    /// The account.
    pub user_id: UserId,
    /// The session; users of outside issuers have none with us.
    pub session_id: Option<SessionId>,
    /// The role as it is now.
    pub role: Role,
    /// The email as it is now; empty if an outside issuer names none.
    pub email: Arc<str>,
    /// When the credential runs out.
    pub expires_at: Option<Timestamp>,
    /// How the user was recognised.
    pub via: Via,
}

/// A service that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePrincipal {
    /// The key.
    pub key_id: KeyId,
    /// Its name.
    pub name: Arc<str>,
    /// What it may do.
    pub scopes: Arc<[Scope]>,
    /// Whose key it is, if it is a user's.
    pub owner: Option<UserId>,
}

impl Principal {
    /// The user, if one asks.
    #[must_use]
    pub const fn user(&self) -> Option<&UserPrincipal> {
        match self {
            Self::User(user) => Some(user),
            Self::Anonymous | Self::Service(_) => None,
        }
    }

    /// The service, if one asks.
    #[must_use]
    pub const fn service(&self) -> Option<&ServicePrincipal> {
        match self {
            Self::Service(service) => Some(service),
            Self::Anonymous | Self::User(_) => None,
        }
    }
}

impl ServicePrincipal {
    /// Whether the key has exactly this scope.
    #[must_use]
    pub fn has(&self, scope: &Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// Whether a scope of the key lets the path be read.
    #[must_use]
    pub fn reads(&self, path: &StreamPath) -> bool {
        self.scopes.iter().any(|scope| scope.reads(path))
    }

    /// Whether a scope of the key lets the path be written.
    #[must_use]
    pub fn writes(&self, path: &StreamPath) -> bool {
        self.scopes.iter().any(|scope| scope.writes(path))
    }
}
