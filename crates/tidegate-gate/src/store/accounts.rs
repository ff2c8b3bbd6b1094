//! What accounts ask of a store.

use async_trait::async_trait;
use secrecy::SecretString;
use tidegate_db::DbError;
use tidegate_types::{SessionId, Timestamp, UserId};

use super::sessions::SessionRow;
use crate::audit::AuditRow;
use crate::revocation::NewRevocation;
use crate::{Role, User};

/// An account as it is stored.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// What others may see.
    pub user: User,
    /// How the account is signed in to.
    pub identity: Identity,
}

/// How an account is signed in to.
#[derive(Clone, Debug)]
pub enum Identity {
    /// By email and a password of ours.
    Password {
        /// The folded email; unique.
        email_key: String,
        /// The hash, as a PHC string.
        hash: SecretString,
    },
    /// By tokens of an outside issuer.
    Outside {
        /// The issuer.
        issuer: String,
        /// Its name for the user.
        subject: String,
    },
}

/// A password to be stored.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// Whose.
    pub user: UserId,
    /// The hash that it replaces, if the caller saw one: another one by now means that somebody
    /// else was faster.
    pub replaces: Option<SecretString>,
    /// Its hash.
    pub hash: SecretString,
    /// The session that goes on; all others end.
    pub keep: Option<SessionId>,
    /// When.
    pub now: Timestamp,
}

/// Keeps accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Adds an account, with its first session, in one transaction. `false`: the email is taken.
    async fn insert_user(
        &self,
        user: UserRow,
        session: Option<SessionRow>,
        audit: Vec<AuditRow>,
    ) -> Result<bool, DbError>;

    /// The account of an outside identity; the given one is added if there is none.
    async fn find_or_insert_outside(&self, user: UserRow, audit: Vec<AuditRow>) -> Result<UserRow, DbError>;

    /// The account with this id.
    async fn lookup_user(&self, id: UserId) -> Result<Option<UserRow>, DbError>;

    /// The account with this folded email.
    async fn find_user_by_email(&self, email_key: &str) -> Result<Option<UserRow>, DbError>;

    /// Accounts by id, after the given one.
    async fn list_users(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserRow>, DbError>;

    /// Disables the account, ends its sessions and revokes what it holds; or enables it again.
    /// `None`: no such account.
    async fn set_disabled(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Option<Vec<NewRevocation>>, DbError>;

    /// Changes the role, and revokes what was opened with the old one. `None`: no such account.
    async fn set_role(
        &self,
        id: UserId,
        role: Role,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Option<Vec<NewRevocation>>, DbError>;

    /// Stores a password and ends the other sessions. `None`: no such account, or its password
    /// is another one by now.
    async fn set_password(
        &self,
        new: NewPassword,
        audit: Vec<AuditRow>,
    ) -> Result<Option<Vec<NewRevocation>>, DbError>;
}
