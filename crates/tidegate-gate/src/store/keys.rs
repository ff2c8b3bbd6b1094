//! What API keys and signatures ask of a store.

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{KeyId, Timestamp, UserId};

use crate::Key;
use crate::audit::AuditRow;
use crate::revocation::NewRevocation;

/// A key as it is stored.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// What may be shown of it.
    pub key: Key,
    /// SHA-256 of its secret.
    pub digest: [u8; 32],
    /// Its signing secret, sealed.
    pub signing: Option<Vec<u8>>,
}

/// Keeps API keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Adds a key. `false`: its owner does not exist.
    async fn insert_key(&self, key: KeyRow, audit: Vec<AuditRow>) -> Result<bool, DbError>;

    /// The key with this id.
    async fn lookup_key(&self, id: KeyId) -> Result<Option<KeyRow>, DbError>;

    /// The key with this digest.
    async fn find_key_by_digest(&self, digest: [u8; 32]) -> Result<Option<KeyRow>, DbError>;

    /// Keys of one owner, or all, newest first.
    async fn list_keys(&self, owner: Option<UserId>) -> Result<Vec<KeyRow>, DbError>;

    /// Revokes a key. `None`: there is none, or it was revoked before.
    async fn revoke_key(
        &self,
        id: KeyId,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Option<NewRevocation>, DbError>;

    /// Notes when keys were last used.
    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), DbError>;

    /// Notes that a signed message was taken. `false`: it had been taken before.
    async fn take_message(
        &self,
        key: KeyId,
        digest: [u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, DbError>;

    /// Drops at most `limit` notes of messages whose signature is too old by now.
    async fn sweep_messages(&self, now: Timestamp, limit: u32) -> Result<u64, DbError>;
}
