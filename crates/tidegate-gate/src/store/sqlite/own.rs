//! The store traits of accounts, sessions, keys and idempotency, for SQLite.

use async_trait::async_trait;
use secrecy::SecretString;
use tidegate_db::DbError;
use tidegate_types::{KeyId, SessionId, Timestamp, UserId};

use super::{SqliteGate, idempotency, keys, sessions, users};
use crate::audit::AuditRow;
use crate::revocation::NewRevocation;
use crate::store::{
    AccountStore, BeginRequest, Begun, EndWhich, IdempotencyStore, KeyRow, KeyStore, NewPassword,
    RotateAttempt, Rotation, SessionRow, SessionStore, UserRow,
};
use crate::{Role, StoredAnswer};

#[async_trait]
impl AccountStore for SqliteGate {
    async fn insert_user(
        &self,
        user: UserRow,
        session: Option<SessionRow>,
        audit: Vec<AuditRow>,
    ) -> Result<bool, DbError> {
        users::insert(&self.db, user, session, audit).await
    }

    async fn find_or_insert_outside(&self, user: UserRow, audit: Vec<AuditRow>) -> Result<UserRow, DbError> {
        users::find_or_insert_outside(&self.db, user, audit).await
    }

    async fn lookup_user(&self, id: UserId) -> Result<Option<UserRow>, DbError> {
        users::lookup(&self.db, id).await
    }

    async fn find_user_by_email(&self, email_key: &str) -> Result<Option<UserRow>, DbError> {
        users::find_by_email(&self.db, email_key).await
    }

    async fn list_users(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserRow>, DbError> {
        users::list(&self.db, after, limit).await
    }

    async fn set_disabled(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Option<Vec<NewRevocation>>, DbError> {
        users::set_disabled(&self.db, id, disabled, now, audit).await
    }

    async fn set_role(
        &self,
        id: UserId,
        role: Role,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Option<Vec<NewRevocation>>, DbError> {
        users::set_role(&self.db, id, role, now, audit).await
    }

    async fn set_password(
        &self,
        new: NewPassword,
        audit: Vec<AuditRow>,
    ) -> Result<Option<Vec<NewRevocation>>, DbError> {
        users::set_password(&self.db, new, audit).await
    }
}

#[async_trait]
impl SessionStore for SqliteGate {
    async fn insert_session(
        &self,
        session: SessionRow,
        hash: SecretString,
        audit: Vec<AuditRow>,
    ) -> Result<bool, DbError> {
        sessions::insert(&self.db, session, hash, audit).await
    }

    async fn lookup_session(&self, id: SessionId) -> Result<Option<SessionRow>, DbError> {
        sessions::lookup(&self.db, id).await
    }

    async fn list_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionRow>, DbError> {
        sessions::list(&self.db, user, now).await
    }

    async fn end_sessions(
        &self,
        user: UserId,
        which: EndWhich,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Vec<NewRevocation>, DbError> {
        sessions::end(&self.db, user, which, now, audit).await
    }

    async fn rotate(&self, attempt: RotateAttempt) -> Result<Rotation, DbError> {
        sessions::rotate(&self.db, attempt).await
    }

    async fn touch_sessions(&self, seen: Vec<(SessionId, Timestamp)>) -> Result<(), DbError> {
        sessions::touch(&self.db, seen).await
    }

    async fn sweep_sessions(&self, now: Timestamp, limit: u32) -> Result<u64, DbError> {
        sessions::sweep(&self.db, now, limit).await
    }
}

#[async_trait]
impl KeyStore for SqliteGate {
    async fn insert_key(&self, key: KeyRow, audit: Vec<AuditRow>) -> Result<bool, DbError> {
        keys::insert(&self.db, key, audit).await
    }

    async fn lookup_key(&self, id: KeyId) -> Result<Option<KeyRow>, DbError> {
        keys::lookup(&self.db, id).await
    }

    async fn find_key_by_digest(&self, digest: [u8; 32]) -> Result<Option<KeyRow>, DbError> {
        keys::find_by_digest(&self.db, digest).await
    }

    async fn list_keys(&self, owner: Option<UserId>) -> Result<Vec<KeyRow>, DbError> {
        keys::list(&self.db, owner).await
    }

    async fn revoke_key(
        &self,
        id: KeyId,
        now: Timestamp,
        audit: Vec<AuditRow>,
    ) -> Result<Option<NewRevocation>, DbError> {
        keys::revoke(&self.db, id, now, audit).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), DbError> {
        keys::touch(&self.db, used).await
    }

    async fn take_message(
        &self,
        key: KeyId,
        digest: [u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, DbError> {
        keys::take_message(&self.db, key, digest, now, expires_at).await
    }

    async fn sweep_messages(&self, now: Timestamp, limit: u32) -> Result<u64, DbError> {
        keys::sweep_messages(&self.db, now, limit).await
    }
}

#[async_trait]
impl IdempotencyStore for SqliteGate {
    async fn begin_request(&self, begin: BeginRequest) -> Result<Begun, DbError> {
        idempotency::begin(&self.db, begin).await
    }

    async fn finish_request(&self, token: [u8; 16], answer: StoredAnswer) -> Result<(), DbError> {
        idempotency::finish(&self.db, token, answer).await
    }

    async fn abandon_request(&self, token: [u8; 16]) -> Result<(), DbError> {
        idempotency::abandon(&self.db, token).await
    }

    async fn sweep_requests(&self, now: Timestamp, limit: u32) -> Result<u64, DbError> {
        idempotency::sweep(&self.db, now, limit).await
    }
}
