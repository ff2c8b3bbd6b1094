//! What asking for a principal again asks of a store.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{KeyId, SessionId, Timestamp, UserId};

use crate::{Role, Scope};

/// How a user or a key stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Of a user.
    User {
        /// The role now.
        role: Role,
        /// The email now.
        email: Arc<str>,
        /// Whether the account is disabled.
        disabled: bool,
        /// Until when the session lasts; `None` if it ended or was never there, or none was asked for.
        session_until: Option<Timestamp>,
    },
    /// Of a key.
    Key {
        /// The name now.
        name: Arc<str>,
        /// What it may do now.
        scopes: Arc<[Scope]>,
        /// Whose key it is.
        owner: Option<UserId>,
        /// Whether its owner is disabled.
        owner_disabled: bool,
        /// Until when it works, if not for ever.
        until: Option<Timestamp>,
        /// Whether it was revoked.
        revoked: bool,
    },
}

/// Tells how principals stand now, in one read each.
#[async_trait]
pub trait StandingStore: Send + Sync {
    /// A user, and the session that they ask with.
    async fn find_user_standing(
        &self,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<Option<Standing>, DbError>;

    /// A key.
    async fn find_key_standing(&self, key: KeyId) -> Result<Option<Standing>, DbError>;
}
