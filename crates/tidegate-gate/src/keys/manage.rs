//! Checking, listing and revoking API keys.

use tidegate_types::{KeyId, Secret, UserId};

use super::Key;
use crate::accounts::service_of;
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::{AuthError, ClientFacts, Gate, GateError, Principal};

impl Gate {
    pub(crate) async fn authenticate_key(&self, secret: &Secret) -> Result<Principal, AuthError> {
        let row = self.present_key_by_digest(secret.digest()).await?;
        self.inner.seen.key(row.key.id, self.now());
        Ok(Principal::Service(service_of(&row)))
    }

    /// The key with this id.
    ///
    /// # Errors
    /// The store failed.
    pub async fn lookup_key(&self, id: KeyId) -> Result<Option<Key>, GateError> {
        Ok(self.store().lookup_key(id).await?.map(|row| row.key))
    }

    /// The keys that work or worked, newest first: of one owner, or all.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_keys(&self, owner: Option<UserId>) -> Result<Vec<Key>, GateError> {
        Ok(self.store().list_keys(owner).await?.into_iter().map(|row| row.key).collect())
    }

    /// Revokes a key; answers whether it worked until now.
    ///
    /// # Errors
    /// The store failed.
    pub async fn revoke_key(&self, id: KeyId, by: Actor, facts: &ClientFacts) -> Result<bool, GateError> {
        let now = self.now();
        let event = AuditEvent::new(AuditKind::KeyRevoked, by).from_client(facts).subject(id);
        let revoked = self.store().revoke_key(id, now, vec![event.at(now)]).await?;
        if let Some(revoked) = revoked {
            self.apply_revocations(&[revoked]);
        }
        Ok(revoked.is_some())
    }
}
