//! Making API keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::json;
use tidegate_types::{KeyId, Secret, SecretKind};
use zeroize::Zeroizing;

use super::seal::seal;
use super::{CreatedKey, Key, KeyError, NewKey};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::store::KeyRow;
use crate::{ClientFacts, Gate, Scope};

const NAME_CHARS_MAX: usize = 100;
const SCOPES_MAX: usize = 64;
const SIGNING_BYTES: usize = 32;

impl Gate {
    /// Makes a key. Its secrets can't be asked for again.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn create_key(&self, new: NewKey, facts: &ClientFacts) -> Result<CreatedKey, KeyError> {
        let now = self.now();
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(KeyError::Name);
        }
        if new.scopes.is_empty() || new.scopes.len() > SCOPES_MAX {
            return Err(KeyError::Scopes);
        }
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(KeyError::Expired);
        }
        let id = KeyId::generate(now, self.entropy());
        let secret = Secret::generate(SecretKind::Key, self.entropy());
        let signing =
            if new.scopes.contains(&Scope::GenerationsWork) { Some(self.draw_signing(id)?) } else { None };
        let (signing_secret, sealed) = signing.unzip();
        let key = Key {
            id,
            name: name.into(),
            scopes: new.scopes.into(),
            owner: new.owner,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
            signs: sealed.is_some(),
        };
        let row = KeyRow { key: key.clone(), digest: secret.digest(), signing: sealed };
        let actor = new.owner.map_or(Actor::Operator, Actor::User);
        let event = AuditEvent::new(AuditKind::KeyCreated, actor)
            .from_client(facts)
            .subject(id)
            .detail(json!({ "name": key.name, "scopes": key.scopes }));
        if !self.store().insert_key(row, vec![event.at(now)]).await? {
            return Err(KeyError::UnknownOwner);
        }
        Ok(CreatedKey { key, secret, signing_secret })
    }

    fn draw_signing(&self, id: KeyId) -> Result<(SecretString, Vec<u8>), KeyError> {
        let bytes = Zeroizing::new(self.entropy().array::<SIGNING_BYTES>());
        let sealed = seal(&self.inner.keys.seal, id, &*bytes, self.entropy()).map_err(|_| KeyError::Seal)?;
        Ok((SecretString::from(format!("whsec_{}", STANDARD.encode(*bytes))), sealed))
    }
}
