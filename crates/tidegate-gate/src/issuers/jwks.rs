//! The keys of one outside issuer: fetched when needed, never more often than every 30 s, by one
//! caller at a time, and kept for a day if the issuer is down.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use tidegate_types::Timestamp;

use super::Fetch;

const FETCH_INTERVAL: Duration = Duration::from_secs(30);
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
const FETCH_BYTES_MAX: usize = 262_144;
/// Keys older than this are fetched again when one is asked for.
const FRESH_FOR: Duration = Duration::from_secs(300);
/// Keys older than this are not used any more, whatever the issuer's state.
const STALE_FOR: Duration = Duration::from_secs(86_400);
const KEYS_MAX: usize = 64;

/// One public key of an issuer.
pub(crate) struct IssuerKey {
    kid: Option<String>,
    algorithm: Option<String>,
    pub(crate) key: DecodingKey,
}

#[derive(Default)]
struct KeySet {
    keys: Vec<Arc<IssuerKey>>,
    fetched_at: Option<Timestamp>,
}

/// The keys of one issuer.
pub(crate) struct IssuerKeys {
    url: String,
    set: ArcSwap<KeySet>,
    /// When a fetch was last begun; held by whoever fetches.
    tried_at: tokio::sync::Mutex<Option<Timestamp>>,
}

impl std::fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerKeys").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a token's header asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) kid: Option<&'a str>,
    /// The algorithm as the header names it.
    pub(crate) name: &'a str,
    pub(crate) algorithm: Algorithm,
}

impl IssuerKeys {
    pub(crate) fn new(url: String) -> Self {
        Self { url, set: ArcSwap::default(), tried_at: tokio::sync::Mutex::default() }
    }

    /// The key that the header asks for, if the issuer has it.
    pub(crate) async fn find(
        &self,
        fetch: &dyn Fetch,
        wanted: Wanted<'_>,
        now: Timestamp,
    ) -> Option<Arc<IssuerKey>> {
        let set = self.set.load_full();
        let age = set.fetched_at.map(|at| now.since(at));
        let known = if age.is_some_and(|age| age <= STALE_FOR) { set.find(wanted) } else { None };
        if known.is_some() && age.is_some_and(|age| age <= FRESH_FOR) {
            return known;
        }
        let Some(tried_at) = (match known {
            // An old key serves while somebody else asks for newer ones.
            Some(_) => self.tried_at.try_lock().ok(),
            None => Some(self.tried_at.lock().await),
        }) else {
            return known;
        };
        self.fetch(fetch, tried_at, now).await;
        let set = self.set.load();
        if set.fetched_at.is_some_and(|at| now.since(at) <= STALE_FOR) { set.find(wanted) } else { None }
    }

    async fn fetch(
        &self,
        fetch: &dyn Fetch,
        mut tried_at: tokio::sync::MutexGuard<'_, Option<Timestamp>>,
        now: Timestamp,
    ) {
        // Unknown key ids are free to make up; fetches are not.
        if tried_at.is_some_and(|at| now.since(at) < FETCH_INTERVAL) {
            return;
        }
        *tried_at = Some(now);
        match fetch.fetch(&self.url, FETCH_BYTES_MAX, FETCH_TIMEOUT).await {
            Ok(body) => match KeySet::parse(&body, now) {
                Some(set) => self.set.store(Arc::new(set)),
                None => tracing::warn!(url = %self.url, "the issuer's keys cannot be read"),
            },
            Err(error) => tracing::warn!(url = %self.url, %error, "the issuer's keys could not be fetched"),
        }
    }
}

impl KeySet {
    fn parse(body: &[u8], now: Timestamp) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(body).ok()?;
        // A key of a kind that we don't know is passed over, not the end of the others.
        let keys = document.keys.into_iter().take(KEYS_MAX).filter_map(read).map(Arc::new).collect();
        Some(Self { keys, fetched_at: Some(now) })
    }

    fn find(&self, wanted: Wanted<'_>) -> Option<Arc<IssuerKey>> {
        let mut fitting = self.keys.iter().filter(|key| {
            let named = wanted.kid.is_none() || key.kid.as_deref() == wanted.kid;
            let allowed = key.algorithm.as_deref().is_none_or(|algorithm| algorithm == wanted.name);
            named && allowed && key.key.family() == wanted.algorithm.family()
        });
        let found = fitting.next()?;
        // Without a key id there must be no choice.
        if wanted.kid.is_none() && fitting.next().is_some() { None } else { Some(Arc::clone(found)) }
    }
}

fn read(value: Value) -> Option<IssuerKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let verifies = jwk.common.key_operations.as_ref().is_none_or(|ops| ops.contains(&KeyOperations::Verify));
    let key = DecodingKey::from_jwk(&jwk).ok().filter(|key| key.family() != AlgorithmFamily::Hmac)?;
    let algorithm = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
    (signs && verifies).then_some(IssuerKey { kid: jwk.common.key_id, algorithm, key })
}
