//! Changing passwords: one's own, and by an operator.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tidegate_types::UserId;

use super::{ChangePassword, PasswordError, UserError};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::passwords::{HashNewError, check_length};
use crate::rates::Rate;
use crate::store::{Identity, NewPassword, UserRow};
use crate::{ClientFacts, Gate, UserPrincipal};

impl From<HashNewError> for PasswordError {
    fn from(error: HashNewError) -> Self {
        match error {
            HashNewError::Rejected(rejected) => Self::Password(rejected),
            HashNewError::Hash(error) => Self::Hash(error),
        }
    }
}

impl From<HashNewError> for UserError {
    fn from(error: HashNewError) -> Self {
        match error {
            HashNewError::Rejected(rejected) => Self::Password(rejected),
            HashNewError::Hash(error) => Self::Hash(error),
        }
    }
}

impl Gate {
    /// Changes the user's own password; all their other sessions end.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub async fn change_password(
        &self,
        user: &UserPrincipal,
        change: ChangePassword,
        facts: &ClientFacts,
    ) -> Result<(), PasswordError> {
        self.take_rate(Rate::AuthAddress, &facts.address.to_string())?;
        check_length(change.new.expose_secret())?;
        let row = self.store().lookup_user(user.user_id).await?.ok_or(PasswordError::NoPassword)?;
        let Identity::Password { email_key, hash } = row.identity else {
            return Err(PasswordError::NoPassword);
        };
        // A stolen session must not become a place to guess the password at.
        self.take_rate(Rate::LoginAccount, &email_key)?;
        if !self.inner.hashes.verify(&change.current, Some(&hash)).await? {
            return Err(PasswordError::WrongCurrent);
        }
        let new = self.hash_for(&change.new, &email_key, row.user.name.as_deref()).await?;
        let event = AuditEvent::new(AuditKind::PasswordChanged, Actor::User(user.user_id))
            .from_client(facts)
            .subject(user.user_id);
        let new = NewPassword {
            user: user.user_id,
            replaces: Some(hash),
            hash: new,
            keep: user.session_id,
            now: self.now(),
        };
        // Somebody else changed it first: the present password is another one by now.
        self.store_password(new, event).await?.then_some(()).ok_or(PasswordError::WrongCurrent)
    }

    /// Gives an account another password and ends all its sessions.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn set_password(&self, id: UserId, password: SecretString, by: Actor) -> Result<(), UserError> {
        check_length(password.expose_secret())?;
        let row = self.store().lookup_user(id).await?.ok_or(UserError::NotFound)?;
        let UserRow { user, identity: Identity::Password { email_key, .. } } = row else {
            return Err(UserError::NotFound);
        };
        let hash = self.hash_for(&password, &email_key, user.name.as_deref()).await?;
        let event =
            AuditEvent::new(AuditKind::PasswordChanged, by).subject(id).detail(json!({ "by": "operator" }));
        let new = NewPassword { user: id, replaces: None, hash, keep: None, now: self.now() };
        self.store_password(new, event).await?.then_some(()).ok_or(UserError::NotFound)
    }

    async fn store_password(
        &self,
        new: NewPassword,
        event: AuditEvent,
    ) -> Result<bool, tidegate_db::DbError> {
        let rows = vec![event.at(new.now)];
        let Some(revoked) = self.store().set_password(new, rows).await? else { return Ok(false) };
        self.apply_revocations(&revoked);
        Ok(true)
    }
}
