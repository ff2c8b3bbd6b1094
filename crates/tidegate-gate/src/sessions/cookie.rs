//! Session cookies: an opaque value that only this server can make sense of.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tidegate_types::{Entropy, SessionId};
use uuid::Uuid;

use crate::{AuthError, ClientFacts, Gate, Principal, UserPrincipal, Via};

const SESSION_BYTES: usize = 16;
const RANDOM_BYTES: usize = 32;
const ENCODED_LEN: usize = 64; // base64url of 48 bytes

/// Draws a value for a session.
pub(super) fn value(session: SessionId, entropy: &dyn Entropy) -> SecretString {
    let mut bytes = session.as_uuid().as_bytes().to_vec();
    bytes.extend_from_slice(&entropy.array::<RANDOM_BYTES>());
    SecretString::from(URL_SAFE_NO_PAD.encode(bytes))
}

/// What stands for a value at rest.
pub(super) fn digest(value: &SecretString) -> [u8; 32] {
    Sha256::digest(value.expose_secret().as_bytes()).into()
}

fn session_of(value: &str) -> Option<SessionId> {
    if value.len() != ENCODED_LEN {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    let (session, _) = bytes.split_at_checked(SESSION_BYTES)?;
    Uuid::from_slice(session).ok().map(SessionId::from)
}

impl Gate {
    /// Whom a session cookie stands for.
    ///
    /// # Errors
    /// See [`AuthError`].
    pub async fn authenticate_cookie(
        &self,
        value: &str,
        facts: &ClientFacts,
    ) -> Result<Principal, AuthError> {
        let answer = self.check_cookie(value).await;
        self.audit_refused(answer, facts).await
    }

    async fn check_cookie(&self, value: &str) -> Result<Principal, AuthError> {
        let id = session_of(value).ok_or(AuthError::Invalid)?;
        let row = self.present_session(id).await?;
        let shown: [u8; 32] = Sha256::digest(value.as_bytes()).into();
        let known = row.cookie_digest.ok_or(AuthError::Invalid)?;
        if !bool::from(shown.ct_eq(&known)) {
            return Err(AuthError::Invalid);
        }
        let now = self.now();
        let idle = Duration::from_secs(self.limits().refresh_idle_seconds);
        if now.since(row.session.last_used_at) >= idle {
            return Err(AuthError::Invalid);
        }
        let user = self.present_user(row.session.user_id).await?;
        self.inner.seen.session(id, now);
        Ok(Principal::User(UserPrincipal {
            user_id: user.id,
            session_id: Some(id),
            role: user.role,
            email: user.email.clone(),
            expires_at: Some(row.session.expires_at),
            via: Via::Cookie,
        }))
    }
}
