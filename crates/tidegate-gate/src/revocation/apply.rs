//! What the gate offers of revocation.

use tidegate_db::{DbError, Hint};
use tidegate_types::Timestamp;

use super::{NewRevocation, RevocationScope};
use crate::audit::AuditEvent;
use crate::{Gate, Principal};

/// The bus topic that says "read the revocations again".
pub const REVOCATIONS_TOPIC: &str = "revocations";

impl Gate {
    /// Writes revocations, with the events that tell of them, and applies them here.
    ///
    /// # Errors
    /// The store failed; nothing is revoked.
    pub async fn revoke(&self, new: Vec<NewRevocation>, audit: Vec<AuditEvent>) -> Result<(), DbError> {
        let now = self.now();
        let rows = audit.into_iter().map(|event| event.at(now)).collect();
        self.inner.store.insert_revocations(new.clone(), rows).await?;
        self.apply_revocations(&new);
        Ok(())
    }

    /// Applies revocations whose rows are committed: requests are refused and live connections
    /// told to end from now on, and other nodes are hinted.
    pub fn apply_revocations(&self, revoked: &[NewRevocation]) {
        for revocation in revoked {
            self.apply_one(revocation);
        }
        if !revoked.is_empty() {
            self.inner.bus.publish(Hint { topic: REVOCATIONS_TOPIC, key: "".into() });
        }
    }

    fn apply_one(&self, revocation: &NewRevocation) {
        if revocation.scope != RevocationScope::Lease {
            self.inner.revocations.insert(revocation);
        }
        self.registry().revoke(revocation);
    }

    /// Whether what the principal shows was revoked; `issued_at` is the time of its token, or of
    /// its check when it has none.
    #[must_use]
    pub fn is_revoked(&self, principal: &Principal, issued_at: Timestamp) -> bool {
        let map = &self.inner.revocations;
        match principal {
            Principal::Anonymous => false,
            Principal::User(user) => {
                user.session_id.is_some_and(|session| map.session(session))
                    || map.user(user.user_id, issued_at)
            }
            Principal::Service(service) => {
                map.key(service.key_id) || service.owner.is_some_and(|owner| map.user(owner, issued_at))
            }
        }
    }

    /// Reads what this and other processes have revoked meanwhile.
    pub(crate) async fn poll_revocations(&self, now: Timestamp) -> Result<(), DbError> {
        for found in self.revocation_cursor().poll(&*self.inner.store, now).await? {
            self.apply_one(&found.revoked);
        }
        Ok(())
    }
}
