//! The check of one signed call.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tidegate_types::KeyId;

use super::{SignatureError, SignatureHeaders};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::keys::open_seal;
use crate::{AuthError, Gate};

const TOLERANCE: Duration = Duration::from_secs(300);
const ID_BYTES_MAX: usize = 256;
/// While a secret is rotated a sender signs with both; more than a few is an attack on our time.
const SIGNATURES_MAX: usize = 8;
const VERSION: &str = "v1,";

impl Gate {
    /// Checks that the owner of a key signed this body, not long ago, and for the first time.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub async fn verify_signature(
        &self,
        key: KeyId,
        headers: SignatureHeaders<'_>,
        body: &[u8],
    ) -> Result<(), SignatureError> {
        let answer = self.check_signature(key, headers, body).await;
        if let Err(error) = &answer {
            let event = AuditEvent::new(AuditKind::Refusal, Actor::Key(key))
                .detail(serde_json::json!({ "code": error.code(), "reason": error.to_string() }));
            self.audit(event).await;
        }
        answer
    }

    async fn check_signature(
        &self,
        key: KeyId,
        headers: SignatureHeaders<'_>,
        body: &[u8],
    ) -> Result<(), SignatureError> {
        let SignatureHeaders { id, timestamp, signature } = headers;
        let id_ok = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        let digits = !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
        let sent =
            timestamp.parse::<i64>().ok().filter(|_| id_ok && digits).ok_or(SignatureError::Malformed)?;
        let now = self.now();
        let tolerance = i64::try_from(TOLERANCE.as_secs()).unwrap_or(i64::MAX);
        if now.as_secs().abs_diff(sent) > tolerance.unsigned_abs() {
            return Err(SignatureError::Stale);
        }
        let secret = self.signing_secret(key).await?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret).map_err(|_| SignatureError::Wrong)?;
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        let genuine =
            signature.split(' ').filter_map(|one| one.strip_prefix(VERSION)).take(SIGNATURES_MAX).any(
                |one| {
                    // Compares in constant time.
                    STANDARD.decode(one).is_ok_and(|bytes| mac.clone().verify_slice(&bytes).is_ok())
                },
            );
        if !genuine {
            return Err(SignatureError::Wrong);
        }
        let digest = Sha256::digest(id.as_bytes()).into();
        // Kept until no signature of this message can be fresh any more, clocks apart included.
        let fresh = self.store().take_message(key, digest, now, now.plus(TOLERANCE * 2)).await?;
        fresh.then_some(()).ok_or(SignatureError::Repeated)
    }

    async fn signing_secret(&self, key: KeyId) -> Result<zeroize::Zeroizing<Vec<u8>>, SignatureError> {
        let row = self.present_key(key).await.map_err(|error| match error {
            AuthError::Db(error) => SignatureError::Db(error),
            AuthError::Invalid | AuthError::Expired | AuthError::Disabled => SignatureError::Wrong,
        })?;
        let sealed = row.signing.as_deref().ok_or(SignatureError::Wrong)?;
        open_seal(&self.inner.keys.seal, key, sealed).map_err(|_| SignatureError::Wrong)
    }
}
