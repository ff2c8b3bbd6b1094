//! How a session begins.

use std::time::Duration;

use secrecy::SecretString;
use tidegate_types::{SessionId, Timestamp, UserId};

use super::{Issued, Session, SessionCookie, SessionKind, cookie, refresh_token};
use crate::store::SessionRow;
use crate::tokens::{Tokens, issue};
use crate::{ClientFacts, Gate, User};

/// A session that is not stored yet.
pub(crate) struct Begun {
    pub(crate) session_id: SessionId,
    pub(crate) row: SessionRow,
    pub(crate) issued: Issued,
}

impl Gate {
    /// Makes a session and what is handed out for it. Nothing of it counts before it is stored.
    pub(crate) fn begin_session(
        &self,
        user: &User,
        kind: SessionKind,
        facts: &ClientFacts,
    ) -> Result<Begun, tidegate_db::DbError> {
        let now = self.now();
        let id = SessionId::generate(now, self.entropy());
        let life = match kind {
            // A revocation must be remembered for as long as what it revokes could be shown.
            SessionKind::TokenFor(life) => life.min(self.config().retention.revocations),
            SessionKind::Token | SessionKind::Cookie => self.config().access_life,
        };
        // A session lives at least as long as its first access token.
        let session_life = Duration::from_secs(self.limits().session_seconds).max(life);
        let expires_at = now.plus(session_life);
        let (issued, cookie_digest) = match kind {
            SessionKind::Cookie => {
                let value = cookie::value(id, self.entropy());
                let digest = cookie::digest(&value);
                (Issued::Cookie(SessionCookie { value, expires_at }), Some(digest))
            }
            SessionKind::Token | SessionKind::TokenFor(_) => {
                (Issued::Tokens(self.tokens(user.id, id, 0, (now, life))?), None)
            }
        };
        let session = Session {
            id,
            user_id: user.id,
            kind: if cookie_digest.is_some() { "cookie" } else { "token" },
            created_at: now,
            last_used_at: now,
            expires_at,
            user_agent: facts.user_agent.clone(),
            address: Some(facts.address.to_string()),
        };
        let access_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let row =
            SessionRow { session, cookie_digest, counter: 0, rotated_at: now, access_ms, ended_at: None };
        Ok(Begun { session_id: id, row, issued })
    }

    /// The tokens of a session; `counter` is the number of its newest refresh token.
    pub(super) fn tokens(
        &self,
        user: UserId,
        session: SessionId,
        counter: u32,
        (now, life): (Timestamp, Duration),
    ) -> Result<Tokens, tidegate_db::DbError> {
        let keys = &self.inner.keys;
        let access_token = issue(keys, self.parties(), (user, session), (now, life), self.entropy())
            .map_err(|_| tidegate_db::DbError::Bug("an access token could not be signed".to_owned()))?;
        let refresh_token: SecretString = refresh_token::text(keys, session, counter);
        Ok(Tokens { access_token, refresh_token, expires_in: life.as_secs(), session_id: session })
    }
}
