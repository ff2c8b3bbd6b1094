//! Rotating refresh tokens.

use std::time::Duration;

use serde_json::json;

use super::{RefreshError, refresh_token};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::rates::Rate;
use crate::store::{RotateAttempt, Rotation};
use crate::tokens::Tokens;
use crate::{ClientFacts, Gate};

/// How long a spent token may come again: other tabs, lost answers.
const GRACE_MS: u64 = 10_000;

impl Gate {
    /// Rotates a refresh token. The same one again within 10 s gets the same successor, unless
    /// that was used; then, and later, its session ends.
    ///
    /// # Errors
    /// See [`RefreshError`].
    pub async fn refresh(&self, refresh_token: &str, facts: &ClientFacts) -> Result<Tokens, RefreshError> {
        self.take_rate(Rate::AuthAddress, &facts.address.to_string())?;
        let Some((session, counter)) = refresh_token::read(&self.inner.keys, refresh_token) else {
            self.audit_refused_refresh(&RefreshError::Invalid, facts).await;
            return Err(RefreshError::Invalid);
        };
        let event = |kind| AuditEvent::new(kind, Actor::Anonymous).from_client(facts).subject(session);
        let now = self.now();
        let rotation = self
            .store()
            .rotate(RotateAttempt {
                session,
                counter,
                now,
                grace_ms: GRACE_MS,
                idle_ms: self.limits().refresh_idle_seconds.saturating_mul(1_000),
                rotated: event(AuditKind::Refresh),
                reused: event(AuditKind::RefreshReused),
            })
            .await?;
        let refused = match rotation {
            Rotation::Newest { user, counter, access_ms, expires_at } => {
                // No token outlives its session.
                let life = Duration::from_millis(access_ms).min(expires_at.since(now));
                return Ok(self.tokens(user.id, session, counter, (now, life))?);
            }
            Rotation::Reused(revoked) => {
                self.apply_revocations(&revoked);
                self.inner.present.forget_session(session).await;
                return Err(RefreshError::Reused);
            }
            Rotation::Invalid => RefreshError::Invalid,
            Rotation::Disabled => RefreshError::Disabled,
        };
        self.audit_refused_refresh(&refused, facts).await;
        Err(refused)
    }

    async fn audit_refused_refresh(&self, error: &RefreshError, facts: &ClientFacts) {
        let event = AuditEvent::new(AuditKind::Refusal, Actor::Anonymous)
            .from_client(facts)
            .detail(json!({ "code": error.code() }));
        self.audit(event).await;
    }
}
