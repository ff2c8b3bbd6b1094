//! The key that webhooks are signed with (Ed25519, RFC 8032), and its public half (RFC 8037).

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tidegate_types::Timestamp;
use zeroize::Zeroizing;

use super::seal::{open, seal};
use super::token::derive;
use crate::{SigningRow, SubscriptionsError, SubscriptionsParts};

/// How long an old key is still published after a newer one was made.
const KEEP: Duration = Duration::from_secs(30 * 86_400);

/// A key as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name: `ds_` and the thumbprint of RFC 7638.
    pub kid: String,
    /// The 32 bytes as unpadded base64url.
    pub x: String,
}

pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    keys: Vec<PublicKey>,
}

impl Signer {
    /// The stored key, or a new one if there is none that this server's secret opens.
    pub(crate) async fn open(parts: &SubscriptionsParts) -> Result<Self, SubscriptionsError> {
        let now = parts.clock.now();
        let key = derive(&parts.secret, b"signing keys at rest");
        let rows = parts.store.list_keys().await?;
        let opened = rows.first().and_then(|row| unseal(&key, row));
        let (pair, fresh) = match opened {
            Some(pair) => (pair, None),
            None => {
                let (pair, row) = draw(&key, parts, now)?;
                parts.store.insert_key(row.clone(), now.minus(KEEP)).await?;
                (pair, Some(row))
            }
        };
        let keys = fresh.iter().chain(&rows).map(|row| public(&row.public)).collect();
        Ok(Self { pair, keys })
    }

    pub(crate) fn public_keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The `Webhook-Signature` header of a body: over the time in seconds, a dot, and the body.
    pub(crate) fn header(&self, body: &[u8], now: Timestamp) -> String {
        let time = now.as_secs();
        let signed = [format!("{time}.").as_bytes(), body].concat();
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(&signed));
        let kid = self.keys.first().map(|key| key.kid.as_str()).unwrap_or_default();
        format!("t={time},kid={kid},ed25519={signature}")
    }
}

fn draw(
    key: &[u8; 32],
    parts: &SubscriptionsParts,
    now: Timestamp,
) -> Result<(Ed25519KeyPair, SigningRow), SubscriptionsError> {
    let seed = Zeroizing::new(parts.entropy.array::<32>());
    let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| SubscriptionsError::Signing)?;
    let bytes: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| SubscriptionsError::Signing)?;
    let kid = public(&bytes).kid;
    let sealed = seal(key, &kid, &*seed, &*parts.entropy)?;
    Ok((pair, SigningRow { kid, public: bytes, sealed, created_at: now }))
}

fn unseal(key: &[u8; 32], row: &SigningRow) -> Option<Ed25519KeyPair> {
    let seed = open(key, &row.kid, &row.sealed)?;
    Ed25519KeyPair::from_seed_and_public_key(&seed, &row.public).ok()
}

fn public(bytes: &[u8; 32]) -> PublicKey {
    let x = URL_SAFE_NO_PAD.encode(bytes);
    // RFC 7638 section 3: the required members in the order of their names, without blanks.
    let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
    PublicKey { kid: format!("ds_{}", URL_SAFE_NO_PAD.encode(thumbprint)), x }
}
