//! Accounts, sessions and keys as they are now, behind a small memory that is at most a second
//! old: another process's changes are seen within that time, ours at once.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tidegate_types::{KeyId, SessionId, UserId};

use crate::store::{KeyRow, SessionRow};
use crate::{AuthError, Gate, ServicePrincipal, User};

const FRESH_FOR: Duration = Duration::from_secs(1);
const ENTRIES: u64 = 20_000;

/// What was read a moment ago.
#[derive(Debug)]
pub(crate) struct Present {
    users: Cache<UserId, Option<Arc<User>>>,
    sessions: Cache<SessionId, Option<Arc<SessionRow>>>,
    keys: Cache<KeyId, Option<Arc<KeyRow>>>,
    digests: Cache<[u8; 32], Option<Arc<KeyRow>>>,
}

impl Default for Present {
    fn default() -> Self {
        Self { users: cache(), sessions: cache(), keys: cache(), digests: cache() }
    }
}

fn cache<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(ENTRIES).time_to_live(FRESH_FOR).build()
}

impl Present {
    /// Forgets an account that was changed here.
    pub(crate) async fn forget_user(&self, id: UserId) {
        self.users.invalidate(&id).await;
    }

    /// Forgets a session that was changed here.
    pub(crate) async fn forget_session(&self, id: SessionId) {
        self.sessions.invalidate(&id).await;
    }
}

impl Gate {
    /// The account, if it may do anything now.
    pub(crate) async fn present_user(&self, id: UserId) -> Result<Arc<User>, AuthError> {
        let user = match self.inner.present.users.get(&id).await {
            Some(user) => user,
            None => {
                let user = self.store().lookup_user(id).await?.map(|row| Arc::new(row.user));
                self.inner.present.users.insert(id, user.clone()).await;
                user
            }
        };
        match user {
            None => Err(AuthError::Invalid),
            Some(user) if user.disabled_at.is_some() => Err(AuthError::Disabled),
            Some(user) => Ok(user),
        }
    }

    /// The session, if it is alive now.
    pub(crate) async fn present_session(&self, id: SessionId) -> Result<Arc<SessionRow>, AuthError> {
        if self.inner.revocations.session(id) {
            return Err(AuthError::Invalid);
        }
        let session = match self.inner.present.sessions.get(&id).await {
            Some(session) => session,
            None => {
                let session = self.store().lookup_session(id).await?.map(Arc::new);
                self.inner.present.sessions.insert(id, session.clone()).await;
                session
            }
        };
        let now = self.now();
        session.filter(|s| s.ended_at.is_none() && s.session.expires_at > now).ok_or(AuthError::Invalid)
    }

    /// The key with this secret's digest, if it works now.
    pub(crate) async fn present_key_by_digest(&self, digest: [u8; 32]) -> Result<Arc<KeyRow>, AuthError> {
        let key = match self.inner.present.digests.get(&digest).await {
            Some(key) => key,
            None => {
                let key = self.store().find_key_by_digest(digest).await?.map(Arc::new);
                // Unknown keys are not remembered: one that was made a moment ago works at once.
                if key.is_some() {
                    self.inner.present.digests.insert(digest, key.clone()).await;
                }
                key
            }
        };
        self.working(key).await
    }

    pub(crate) async fn present_key(&self, id: KeyId) -> Result<Arc<KeyRow>, AuthError> {
        let key = match self.inner.present.keys.get(&id).await {
            Some(key) => key,
            None => {
                let key = self.store().lookup_key(id).await?.map(Arc::new);
                if key.is_some() {
                    self.inner.present.keys.insert(id, key.clone()).await;
                }
                key
            }
        };
        self.working(key).await
    }

    async fn working(&self, key: Option<Arc<KeyRow>>) -> Result<Arc<KeyRow>, AuthError> {
        let row = key.ok_or(AuthError::Invalid)?;
        let over = row.key.expires_at.is_some_and(|at| at <= self.now());
        if over || row.key.revoked_at.is_some() || self.inner.revocations.key(row.key.id) {
            return Err(AuthError::Invalid);
        }
        if let Some(owner) = row.key.owner {
            self.present_user(owner).await?;
        }
        Ok(row)
    }
}

/// Who asks with this key.
pub(crate) fn service_of(row: &KeyRow) -> ServicePrincipal {
    ServicePrincipal {
        key_id: row.key.id,
        name: row.key.name.clone(),
        scopes: row.key.scopes.clone(),
        owner: row.key.owner,
    }
}
