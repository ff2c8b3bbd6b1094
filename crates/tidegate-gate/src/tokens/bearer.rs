//! Whom the value of an `Authorization: Bearer` header stands for.

use tidegate_types::{Secret, SecretKind};

use super::{Compact, own};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::{AuthError, ClientFacts, Gate, Principal, UserPrincipal, Via};

impl Gate {
    /// Whom the value of an `Authorization: Bearer` header stands for: an access token of ours or
    /// of a listed issuer, or an API key.
    ///
    /// # Errors
    /// See [`AuthError`].
    pub async fn authenticate_bearer(
        &self,
        token: &str,
        facts: &ClientFacts,
    ) -> Result<Principal, AuthError> {
        self.authenticate_bearer_with(token, || facts.clone()).await
    }

    /// The same for callers that put the facts together only if there is a refusal to audit.
    ///
    /// # Errors
    /// See [`AuthError`].
    pub async fn authenticate_bearer_with(
        &self,
        token: &str,
        facts: impl FnOnce() -> ClientFacts + Send,
    ) -> Result<Principal, AuthError> {
        let principal = match Secret::parse(SecretKind::Key, token) {
            Ok(secret) => self.authenticate_key(&secret).await,
            Err(_) => self.authenticate_token(token).await,
        };
        match principal {
            Ok(principal) => Ok(principal),
            refused => self.audit_refused(refused, &facts()).await,
        }
    }

    async fn authenticate_token(&self, token: &str) -> Result<Principal, AuthError> {
        let token = Compact::parse(token).map_err(|_| AuthError::Invalid)?;
        // The claim only chooses which configured keys to check against.
        let issuer = token.claims.text("iss").ok_or(AuthError::Invalid)?;
        if issuer != self.config().issuer {
            return self.authenticate_outside(&token).await;
        }
        let claims = own::check(&self.inner.keys, self.parties(), &token, self.now())?;
        if self.inner.revocations.session(claims.session) {
            return Err(AuthError::Invalid);
        }
        let user = self.present_user(claims.user).await?;
        self.inner.seen.session(claims.session, self.now());
        Ok(Principal::User(UserPrincipal {
            user_id: user.id,
            session_id: Some(claims.session),
            role: user.role,
            email: user.email.clone(),
            expires_at: Some(claims.expires_at),
            via: Via::Token,
        }))
    }

    /// Passes the answer on, and a refusal to the audit as well.
    pub(crate) async fn audit_refused(
        &self,
        answer: Result<Principal, AuthError>,
        facts: &ClientFacts,
    ) -> Result<Principal, AuthError> {
        if let Err(error @ (AuthError::Invalid | AuthError::Disabled)) = &answer {
            let event = AuditEvent::new(AuditKind::Refusal, Actor::Anonymous)
                .from_client(facts)
                .detail(serde_json::json!({ "code": error.code() }));
            self.audit(event).await;
        }
        answer
    }
}
