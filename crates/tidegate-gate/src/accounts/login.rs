//! Signing in.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::email::fold;
use super::{Login, LoginError, SignedIn, User};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::passwords::{PasswordRejected, check_length};
use crate::rates::Rate;
use crate::store::{Identity, UserRow};
use crate::{ClientFacts, Gate, SessionKind};

impl Gate {
    /// Signs an account in. An unknown email costs the same time and gets the same answer as a
    /// wrong password.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn login(
        &self,
        login: Login,
        kind: SessionKind,
        facts: &ClientFacts,
    ) -> Result<SignedIn, LoginError> {
        self.take_rate(Rate::AuthAddress, &facts.address.to_string())?;
        if check_length(login.password.expose_secret()) == Err(PasswordRejected::TooLong) {
            return Err(PasswordRejected::TooLong.into());
        }
        let key = fold(&login.email);
        // Before the hash, and before anyone looks whether there is such an account.
        self.take_rate(Rate::LoginAccount, &key)?;
        let found = self.check_password(&key, &login.password).await?;
        let Some((user, hash)) = found else {
            self.audit_refused_login(None, facts).await;
            return Err(LoginError::InvalidCredentials);
        };
        if user.disabled_at.is_some() {
            self.audit_refused_login(Some(&user), facts).await;
            return Err(LoginError::Disabled);
        }
        self.sign_in(user, hash, kind, facts).await
    }

    /// The account of this email with the hash that the password opened, if it did.
    async fn check_password(
        &self,
        email_key: &str,
        password: &SecretString,
    ) -> Result<Option<(User, SecretString)>, LoginError> {
        let row = self.store().find_user_by_email(email_key).await?;
        let (user, hash) = match row {
            Some(UserRow { user, identity: Identity::Password { hash, .. } }) => (Some(user), Some(hash)),
            Some(_) | None => (None, None),
        };
        let right = self.inner.hashes.verify(password, hash.as_ref()).await?;
        Ok(user.zip(hash).filter(|_| right))
    }

    async fn sign_in(
        &self,
        user: User,
        hash: SecretString,
        kind: SessionKind,
        facts: &ClientFacts,
    ) -> Result<SignedIn, LoginError> {
        let begun = self.begin_session(&user, kind, facts)?;
        let event = AuditEvent::new(AuditKind::SignIn, Actor::User(user.id))
            .from_client(facts)
            .subject(begun.session_id)
            .detail(json!({ "session": begun.row.session.kind }));
        let rows = vec![event.at(self.now())];
        // The password may have been changed, or the account disabled, while this one was hashed.
        if !self.store().insert_session(begun.row, hash, rows).await? {
            return Err(LoginError::InvalidCredentials);
        }
        Ok(SignedIn { user, session_id: begun.session_id, issued: begun.issued })
    }

    async fn audit_refused_login(&self, user: Option<&User>, facts: &ClientFacts) {
        let (code, subject) = match user {
            None => (LoginError::InvalidCredentials.code(), None),
            Some(user) => (LoginError::Disabled.code(), Some(user.id.to_string())),
        };
        let mut event = AuditEvent::new(AuditKind::SignInRefused, Actor::Anonymous)
            .from_client(facts)
            .detail(json!({ "code": code }));
        event.subject = subject;
        self.audit(event).await;
    }
}
