//! Asking for a principal again: at each redeem and resume, and whenever a live stream wants to
//! know whether it may go on.

use tidegate_types::Timestamp;

use crate::store::Standing;
use crate::{AuthError, Gate, Principal, ServicePrincipal, UserPrincipal};

impl Gate {
    /// The principal as it stands now: session alive, account enabled, key valid.
    ///
    /// # Errors
    /// It stands no more, or the store failed.
    pub async fn reauthorize(&self, principal: &Principal) -> Result<Principal, AuthError> {
        let found = match principal {
            Principal::Anonymous => None,
            Principal::User(user) => {
                self.inner.store.find_user_standing(user.user_id, user.session_id).await?
            }
            Principal::Service(service) => self.inner.store.find_key_standing(service.key_id).await?,
        };
        self.judge_standing(principal, found)
    }

    /// The principal as the store has found it.
    fn judge_standing(&self, principal: &Principal, found: Option<Standing>) -> Result<Principal, AuthError> {
        match principal {
            Principal::Anonymous => Ok(Principal::Anonymous),
            Principal::User(user) => self.judge_user(user, found),
            Principal::Service(service) => self.judge_key(service, found),
        }
    }

    fn judge_user(&self, user: &UserPrincipal, found: Option<Standing>) -> Result<Principal, AuthError> {
        let Some(Standing::User { role, email, disabled, session_until }) = found else {
            return Err(AuthError::Invalid);
        };
        if disabled {
            return Err(AuthError::Disabled);
        }
        // Without a session of ours, an outside issuer's token stands for it.
        let until = if user.session_id.is_some() { session_until } else { user.expires_at };
        let over = match (user.session_id, until) {
            (_, Some(until)) => self.now() >= until,
            (Some(_), None) => true,
            (None, None) => false,
        };
        let revoked = user.session_id.is_some_and(|session| self.inner.revocations.session(session));
        if over || revoked {
            return Err(AuthError::Invalid);
        }
        Ok(Principal::User(UserPrincipal { role, email, ..user.clone() }))
    }

    fn judge_key(&self, service: &ServicePrincipal, found: Option<Standing>) -> Result<Principal, AuthError> {
        let Some(Standing::Key { name, scopes, owner, owner_disabled, until, revoked }) = found else {
            return Err(AuthError::Invalid);
        };
        let over = until.is_some_and(|until| self.now() >= until);
        if revoked || over || self.inner.revocations.key(service.key_id) {
            return Err(AuthError::Invalid);
        }
        if owner_disabled {
            return Err(AuthError::Disabled);
        }
        Ok(Principal::Service(ServicePrincipal { key_id: service.key_id, name, scopes, owner }))
    }

    /// The same for whoever minted a ticket; whatever is wrong, the ticket is not accepted.
    pub(super) fn judge_minter(
        &self,
        principal: &Principal,
        minted_at: Timestamp,
        found: Option<Standing>,
    ) -> Option<Principal> {
        if self.is_revoked(principal, minted_at) {
            return None;
        }
        self.judge_standing(principal, found).ok()
    }
}
