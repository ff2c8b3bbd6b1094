//! Revocation: what was issued earlier is void, at once and everywhere.
//!
//! Owns: the list of revocations in memory, the poll that keeps it true, and ending the live
//! connections that it hits.
//! Must not: decide who may revoke. The row is written in the transaction of its cause; the list
//! in memory is told after that commit, and every node reads the table once a second, so that
//! another process's write (the command line's, another node's) counts as well.

mod apply;
mod map;
mod poll;

pub use apply::REVOCATIONS_TOPIC;
pub(crate) use map::RevocationMap;
pub(crate) use poll::PollCursor;

use tidegate_types::{KeyId, LeaseId, SessionId, Timestamp, UserId};
use uuid::Uuid;

/// What a revocation hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevocationScope {
    /// One signed-in browser or device.
    Session,
    /// Everything of one account.
    User,
    /// One API key.
    Key,
    /// One lease.
    Lease,
}

impl RevocationScope {
    /// The word as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Key => "key",
            Self::Lease => "lease",
        }
    }

    /// Reads the word as it is stored.
    #[must_use]
    pub fn from_word(text: &str) -> Option<Self> {
        [Self::Session, Self::User, Self::Key, Self::Lease].into_iter().find(|s| s.as_str() == text)
    }
}

/// A revocation to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewRevocation {
    /// What kind of thing it hits.
    pub scope: RevocationScope,
    /// Which one.
    pub subject: Uuid,
    /// What was issued before this time is void. Sessions, keys and leases are void whole.
    pub not_before: Timestamp,
    /// When it was revoked.
    pub at: Timestamp,
}

impl NewRevocation {
    /// Ends one session.
    #[must_use]
    pub fn session(id: SessionId, now: Timestamp) -> Self {
        Self { scope: RevocationScope::Session, subject: id.as_uuid(), not_before: now, at: now }
    }

    /// Ends everything of an account that was issued before now.
    #[must_use]
    pub fn user(id: UserId, now: Timestamp) -> Self {
        Self { scope: RevocationScope::User, subject: id.as_uuid(), not_before: now, at: now }
    }

    /// Ends one API key.
    #[must_use]
    pub fn key(id: KeyId, now: Timestamp) -> Self {
        Self { scope: RevocationScope::Key, subject: id.as_uuid(), not_before: now, at: now }
    }

    /// Ends one lease.
    #[must_use]
    pub fn lease(id: LeaseId, now: Timestamp) -> Self {
        Self { scope: RevocationScope::Lease, subject: id.as_uuid(), not_before: now, at: now }
    }
}

/// A revocation as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub revoked: NewRevocation,
}
