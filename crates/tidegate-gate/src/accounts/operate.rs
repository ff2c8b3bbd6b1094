//! What an operator sees of accounts and may do to them.

use serde_json::json;
use tidegate_types::UserId;

use super::email::fold;
use super::{User, UserError};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::{Gate, GateError, Role};

impl Gate {
    /// The account with this id.
    ///
    /// # Errors
    /// The store failed.
    pub async fn lookup_user(&self, id: UserId) -> Result<Option<User>, GateError> {
        Ok(self.store().lookup_user(id).await?.map(|row| row.user))
    }

    /// The account that signs in with this email.
    ///
    /// # Errors
    /// The store failed.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>, GateError> {
        Ok(self.store().find_user_by_email(&fold(email)).await?.map(|row| row.user))
    }

    /// Accounts by id, after the given one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_users(&self, after: Option<UserId>, limit: usize) -> Result<Vec<User>, GateError> {
        Ok(self.store().list_users(after, limit).await?.into_iter().map(|row| row.user).collect())
    }

    /// Disables an account and ends all its sessions, or enables it again.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn set_disabled(&self, id: UserId, disabled: bool, by: Actor) -> Result<User, UserError> {
        let now = self.now();
        let kind = if disabled { AuditKind::Revoke } else { AuditKind::Admin };
        let action = if disabled { "disable-user" } else { "enable-user" };
        let event = AuditEvent::new(kind, by).subject(id).detail(json!({ "action": action }));
        let revoked = self.store().set_disabled(id, disabled, now, vec![event.at(now)]).await?;
        self.apply_revocations(&revoked.ok_or(UserError::NotFound)?);
        self.changed_user(id).await
    }

    /// Gives an account another role; its live streams end, to be opened again with it.
    ///
    /// # Errors
    /// See [`UserError`].
    pub async fn set_role(&self, id: UserId, role: Role, by: Actor) -> Result<User, UserError> {
        let now = self.now();
        let event = AuditEvent::new(AuditKind::Admin, by)
            .subject(id)
            .detail(json!({ "action": "set-role", "role": role.as_str() }));
        let revoked = self.store().set_role(id, role, now, vec![event.at(now)]).await?;
        self.apply_revocations(&revoked.ok_or(UserError::NotFound)?);
        self.changed_user(id).await
    }

    async fn changed_user(&self, id: UserId) -> Result<User, UserError> {
        self.inner.present.forget_user(id).await;
        let row = self.store().lookup_user(id).await?;
        row.map(|row| row.user).ok_or(UserError::NotFound)
    }
}
