//! Access tokens: what a signed-in user shows with each request.
//!
//! Owns: the keys, how tokens are made, and how they are checked.
//! Must not: let a token choose its own algorithm or key, or trust a claim before the signature.

mod bearer;
mod compact;
mod keys;
mod own;

use secrecy::SecretString;
use serde_json::{Value, json};
use tidegate_types::SessionId;

pub(crate) use compact::Compact;
pub(crate) use keys::Keys;
pub(crate) use own::{Parties, issue};

use crate::Gate;

/// What own access tokens are signed with.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// HS256 with the master secret itself, so that existing back ends can check tokens with it.
    Secret,
    /// EdDSA with an Ed25519 key: the text of a PKCS#8 PEM file.
    Ed25519Pem(SecretString),
}

/// The tokens of a session.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Shown with each request.
    pub access_token: SecretString,
    /// Exchanged for new tokens.
    pub refresh_token: SecretString,
    /// Seconds until the access token runs out.
    pub expires_in: u64,
    /// The session they belong to.
    pub session_id: SessionId,
}

impl Gate {
    /// The public keys that our tokens can be checked with (RFC 7517); empty with a shared secret.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let keys: Vec<&Value> = self.inner.keys.own.public.iter().collect();
        json!({ "keys": keys })
    }

    pub(crate) fn parties(&self) -> Parties<'_> {
        Parties { issuer: &self.config().issuer, audience: &self.config().audience }
    }
}
