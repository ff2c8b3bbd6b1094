//! The list in memory that every request is checked against.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use tidegate_types::{KeyId, SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::{NewRevocation, RevocationScope};

#[derive(Clone, Copy, Debug)]
struct Mark {
    not_before: Timestamp,
    at: Timestamp,
}

/// All revocations that still matter. Bounded by their life, like the table.
#[derive(Debug, Default)]
pub(crate) struct RevocationMap {
    marks: RwLock<HashMap<(RevocationScope, Uuid), Mark>>,
}

impl RevocationMap {
    /// Remembers a revocation; answers whether it says anything new.
    pub(crate) fn insert(&self, revoked: &NewRevocation) -> bool {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        let mark = Mark { not_before: revoked.not_before, at: revoked.at };
        match marks.get_mut(&(revoked.scope, revoked.subject)) {
            Some(known) if known.not_before >= mark.not_before => false,
            Some(known) => {
                *known = mark;
                true
            }
            None => {
                marks.insert((revoked.scope, revoked.subject), mark);
                true
            }
        }
    }

    /// Forgets what is older than anything that could still be shown.
    pub(crate) fn forget(&self, before: Timestamp) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.retain(|_, mark| mark.at >= before);
    }

    pub(crate) fn session(&self, id: SessionId) -> bool {
        self.mark(RevocationScope::Session, id.as_uuid()).is_some()
    }

    pub(crate) fn key(&self, id: KeyId) -> bool {
        self.mark(RevocationScope::Key, id.as_uuid()).is_some()
    }

    /// Whether what was issued to the user at this time is void.
    pub(crate) fn user(&self, id: UserId, issued_at: Timestamp) -> bool {
        self.mark(RevocationScope::User, id.as_uuid()).is_some_and(|mark| issued_at < mark.not_before)
    }

    fn mark(&self, scope: RevocationScope, subject: Uuid) -> Option<Mark> {
        self.marks.read().unwrap_or_else(PoisonError::into_inner).get(&(scope, subject)).copied()
    }
}
