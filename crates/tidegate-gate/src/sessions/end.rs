//! Listing sessions and ending them.

use serde_json::json;
use tidegate_types::{SessionId, UserId};

use super::Session;
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::store::EndWhich;
use crate::{ClientFacts, Gate, GateError, UserPrincipal};

impl Gate {
    /// Ends the session that the user asks with; its streams end too.
    ///
    /// # Errors
    /// The store failed.
    pub async fn logout(&self, user: &UserPrincipal, facts: &ClientFacts) -> Result<(), GateError> {
        // A user of an outside issuer signs out there: here is no session to end.
        let Some(session) = user.session_id else { return Ok(()) };
        let event = AuditEvent::new(AuditKind::SignOut, Actor::User(user.user_id)).from_client(facts);
        self.end_one(user.user_id, session, event).await?;
        Ok(())
    }

    /// The living sessions of a user, newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_sessions(&self, user: UserId) -> Result<Vec<Session>, GateError> {
        let rows = self.store().list_sessions(user, self.now()).await?;
        Ok(rows.into_iter().map(|row| row.session).collect())
    }

    /// Ends one session of a user; answers whether it was alive.
    ///
    /// # Errors
    /// The store failed.
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        facts: &ClientFacts,
    ) -> Result<bool, GateError> {
        let event = AuditEvent::new(AuditKind::Revoke, Actor::User(user)).from_client(facts);
        self.end_one(user, session, event).await
    }

    /// Ends all sessions of a user; answers how many were alive.
    ///
    /// # Errors
    /// The store failed.
    pub async fn end_all_sessions(&self, user: UserId, by: Actor) -> Result<usize, GateError> {
        let now = self.now();
        let event = AuditEvent::new(AuditKind::Revoke, by)
            .subject(user)
            .detail(json!({ "action": "end-all-sessions" }));
        let revoked = self.store().end_sessions(user, EndWhich::All, now, vec![event.at(now)]).await?;
        self.apply_revocations(&revoked);
        Ok(revoked.len())
    }

    async fn end_one(&self, user: UserId, session: SessionId, event: AuditEvent) -> Result<bool, GateError> {
        let now = self.now();
        let rows = vec![event.subject(session).at(now)];
        let revoked = self.store().end_sessions(user, EndWhich::One(session), now, rows).await?;
        self.apply_revocations(&revoked);
        self.inner.present.forget_session(session).await;
        Ok(!revoked.is_empty())
    }
}
