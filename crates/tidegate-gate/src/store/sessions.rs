//! What sessions ask of a store.

use async_trait::async_trait;
use secrecy::SecretString;
use tidegate_db::DbError;
use tidegate_types::{SessionId, Timestamp, UserId};

use crate::audit::{AuditEvent, AuditRow};
use crate::revocation::NewRevocation;
use crate::{Session, User};

/// A session as it is stored.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// What its owner may see.
    pub session: Session,
    /// SHA-256 of the cookie's value, if it has a cookie.
    pub cookie_digest: Option<[u8; 32]>,
    /// Number of the newest refresh token.
    pub counter: u32,
    /// When that one was issued.
    pub rotated_at: Timestamp,
    /// Life of its access tokens, in milliseconds.
    pub access_ms: u64,
    /// When it ended, if it did.
    pub ended_at: Option<Timestamp>,
}

/// A refresh token came in; its signature holds.
#[derive(Clone, Debug)]
pub struct RotateAttempt {
    /// Whose it is.
    pub session: SessionId,
    /// Its number.
    pub counter: u32,
    /// When.
    pub now: Timestamp,
    /// How long the one before the newest may come again, in milliseconds.
    pub grace_ms: u64,
    /// How long the newest may lie unused, in milliseconds.
    pub idle_ms: u64,
    /// The event of a rotation, without its actor.
    pub rotated: AuditEvent,
    /// The event of a reuse, without its actor.
    pub reused: AuditEvent,
}

/// What became of a refresh token.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// This one is the newest now.
    Newest {
        /// Whose session it is.
        user: User,
        /// The newest token's number.
        counter: u32,
        /// Life of the session's access tokens, in milliseconds.
        access_ms: u64,
        /// When the session ends at the latest.
        expires_at: Timestamp,
    },
    /// It had been spent: the session is over.
    Reused(Vec<NewRevocation>),
    /// There is no such living session.
    Invalid,
    /// The account is disabled.
    Disabled,
}

/// Which sessions are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndWhich {
    /// This one.
    One(SessionId),
    /// All of the user.
    All,
}

/// Keeps sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Adds a session, unless the account was disabled or got another password meanwhile.
    async fn insert_session(
        &self,
        session: SessionRow,
        hash: SecretString,
        audit: Vec<AuditRow>,
    ) -> Result<bool, DbError>;

    /// The session with this id, living or not.
    async fn lookup_session(&self, id: SessionId) -> Result<Option<SessionRow>, DbError>;

    /// The living sessions of a user, newest first.
    async fn list_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionRow>, DbError>;

    /// Ends sessions of a user and revokes them, in one transaction.
    async fn end_sessions(
        &self,
        user: UserId,
        which: EndWhich,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Vec<NewRevocation>, DbError>;

    /// Decides and does, in one transaction: rotates, repeats, or ends the session for reuse.
    async fn rotate(&self, attempt: RotateAttempt) -> Result<Rotation, DbError>;

    /// Notes when sessions were last seen.
    async fn touch_sessions(&self, seen: Vec<(SessionId, Timestamp)>) -> Result<(), DbError>;

    /// Drops at most `limit` sessions that are over by age.
    async fn sweep_sessions(&self, now: Timestamp, limit: u32) -> Result<u64, DbError>;
}
