//! All keys of the gate, derived from the master secret: one label each, none used for two purposes.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use tidegate_types::SessionId;
use zeroize::Zeroizing;

use super::SigningKey;
use crate::GateError;

const SECRET_BYTES_MIN: usize = 32;
const SALT: &[u8] = b"tidegate keys 1";

/// The keys.
pub(crate) struct Keys {
    /// What own access tokens are made and checked with.
    pub(crate) own: OwnKey,
    refresh: Hkdf<Sha256>,
    root: Hkdf<Sha256>,
    /// What signing secrets are sealed with.
    pub(crate) seal: Zeroizing<[u8; 32]>,
}

/// The one key, and the one algorithm, of own access tokens.
pub(crate) struct OwnKey {
    pub(crate) algorithm: Algorithm,
    /// The algorithm as a token's header names it.
    pub(crate) name: &'static str,
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
    pub(crate) kid: Option<String>,
    pub(crate) public: Option<Value>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("algorithm", &self.own.algorithm).finish_non_exhaustive()
    }
}

impl Keys {
    pub(crate) fn derive(secret: &SecretString, signing: &SigningKey) -> Result<Self, GateError> {
        let master = secret.expose_secret().as_bytes();
        if master.len() < SECRET_BYTES_MIN {
            return Err(refused("auth.jwt_secret", "a secret has at least 32 bytes"));
        }
        let own = match signing {
            SigningKey::Secret => OwnKey {
                algorithm: Algorithm::HS256,
                name: "HS256",
                encoding: EncodingKey::from_secret(master),
                decoding: DecodingKey::from_secret(master),
                kid: None,
                public: None,
            },
            SigningKey::Ed25519Pem(pem) => ed25519(pem)?,
        };
        let root = Hkdf::<Sha256>::new(Some(SALT), master);
        let refresh_key: Zeroizing<[u8; 32]> = expand(&root, b"refresh tokens");
        let refresh = Hkdf::<Sha256>::from_prk(&*refresh_key)
            .map_err(|_| refused("auth.jwt_secret", "keys cannot be derived from it"))?;
        let seal = expand(&root, b"signing secrets at rest");
        Ok(Self { own, refresh, root, seal })
    }

    /// A key of the server for another part of it.
    pub(crate) fn of_part(&self, part: &str) -> Zeroizing<[u8; 32]> {
        expand(&self.root, format!("part: {part}").as_bytes())
    }

    /// The key that the refresh tokens of one session are signed with.
    pub(crate) fn of_session(&self, session: SessionId) -> Hmac<Sha256> {
        // As long as the hash's block, which is the length that HMAC takes as it is.
        let key: Zeroizing<[u8; 64]> = expand(&self.refresh, session.as_uuid().as_bytes());
        Hmac::new(&(*key).into())
    }
}

fn expand<const N: usize>(from: &Hkdf<Sha256>, label: &[u8]) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    // Fails only for keys longer than 255 hashes.
    let expanded = from.expand(label, &mut *key);
    debug_assert!(expanded.is_ok());
    key
}

fn ed25519(pem: &SecretString) -> Result<OwnKey, GateError> {
    let broken = |_| refused("auth.key_file", "not an Ed25519 key in PKCS#8 PEM");
    let encoding = EncodingKey::from_ed_pem(pem.expose_secret().as_bytes()).map_err(broken)?;
    let jwk = Jwk::from_encoding_key(&encoding, Algorithm::EdDSA).map_err(broken)?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(broken)?;
    let decoding = DecodingKey::from_jwk(&jwk).map_err(broken)?;
    let mut public = serde_json::to_value(&jwk).unwrap_or(Value::Null);
    if let Value::Object(members) = &mut public {
        members.insert("kid".to_owned(), json!(kid));
        members.insert("use".to_owned(), json!("sig"));
        members.insert("alg".to_owned(), json!("EdDSA"));
    }
    Ok(OwnKey {
        algorithm: Algorithm::EdDSA,
        name: "EdDSA",
        encoding,
        decoding,
        kid: Some(kid),
        public: Some(public),
    })
}

fn refused(setting: &'static str, reason: &str) -> GateError {
    GateError::Config { setting, reason: reason.to_owned() }
}
