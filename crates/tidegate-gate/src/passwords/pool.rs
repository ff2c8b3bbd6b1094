//! The bounded pool that hashes: a flood of sign-ins can fill it, but neither memory nor the
//! threads that serve streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use tidegate_types::{Entropy, Limits};
use tokio::sync::Semaphore;

use super::rules::check_strength;
use super::{HashError, PasswordParams, PasswordRejected};

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// A password was not hashed.
#[derive(Clone, Debug)]
pub(crate) enum HashNewError {
    Rejected(PasswordRejected),
    Hash(HashError),
}

/// Hashes and verifies, a few at a time.
#[derive(Debug)]
pub(crate) struct HashPool {
    turns: Arc<Semaphore>,
    waiting: AtomicU64,
    waiting_max: u64,
    wait: Duration,
    argon2: Argon2<'static>,
    /// A well-formed hash of no known password, for emails that nobody has.
    nobody: SecretString,
    hashed: Arc<AtomicU64>,
}

impl HashPool {
    pub(crate) fn new(
        params: PasswordParams,
        limits: &Limits,
        entropy: &dyn Entropy,
    ) -> Result<Self, HashError> {
        let bug = |error: argon2::Error| HashError::Bug(error.to_string());
        let PasswordParams { memory_kib, passes, lanes } = params;
        let argon2_params = Params::new(memory_kib, passes, lanes, Some(HASH_BYTES)).map_err(bug)?;
        let salt: [u8; SALT_BYTES] = entropy.array();
        let hash: [u8; HASH_BYTES] = entropy.array();
        let nobody = format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash)
        );
        let turns = usize::try_from(limits.password_hashers).unwrap_or(1).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            turns: Arc::new(Semaphore::new(turns)),
            waiting: AtomicU64::new(0),
            waiting_max: limits.password_queue,
            wait: Duration::from_millis(limits.password_wait_ms),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, argon2_params),
            nobody: nobody.into(),
            hashed: Arc::new(AtomicU64::new(0)),
        })
    }

    /// Judges a new password and hashes it.
    pub(crate) async fn hash_new(
        &self,
        password: &SecretString,
        context: &[&str],
        entropy: &dyn Entropy,
    ) -> Result<SecretString, HashNewError> {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let context: Vec<String> = context.iter().map(|word| (*word).to_owned()).collect();
        let salt: [u8; SALT_BYTES] = entropy.array();
        let job = move || {
            let context: Vec<&str> = context.iter().map(String::as_str).collect();
            check_strength(password.expose_secret(), &context).map_err(HashNewError::Rejected)?;
            let hash: PasswordHash = argon2
                .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
                .map_err(|error| HashNewError::Hash(HashError::Bug(error.to_string())))?;
            Ok(SecretString::from(hash.to_string()))
        };
        self.run(job).await.map_err(HashNewError::Hash)?
    }

    /// Whether this is the password of a stored hash. Without one the work is done all the same,
    /// so that nobody can tell by the time.
    pub(crate) async fn verify(
        &self,
        password: &SecretString,
        hash: Option<&SecretString>,
    ) -> Result<bool, HashError> {
        let known = hash.is_some();
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let hash = hash.unwrap_or(&self.nobody).clone();
        let job = move || {
            let hash = PasswordHash::new(hash.expose_secret()).map_err(|e| HashError::Bug(e.to_string()))?;
            Ok(argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
        };
        self.run(job).await?.map(|same| same && known)
    }

    /// How many jobs this pool has done.
    pub(crate) fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Acquire)
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let turn = {
            let _place = Place::take(&self.waiting, self.waiting_max).ok_or(HashError::Busy)?;
            let turn = Arc::clone(&self.turns).acquire_owned();
            match tokio::time::timeout(self.wait, turn).await {
                Ok(Ok(turn)) => turn,
                Ok(Err(_)) | Err(_) => return Err(HashError::Busy),
            }
        };
        let hashed = Arc::clone(&self.hashed);
        // The turn goes with the job: a caller that leaves does not make room before it is done.
        let done = tokio::task::spawn_blocking(move || {
            let result = job();
            hashed.fetch_add(1, Ordering::AcqRel);
            drop(turn);
            result
        });
        done.await.map_err(|error| HashError::Bug(error.to_string()))
    }
}

/// A place in the queue; leaving it is dropping it.
struct Place<'a>(&'a AtomicU64);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicU64, max: u64) -> Option<Self> {
        let place = Self(waiting);

        if waiting.fetch_add(1, Ordering::AcqRel) >= max {
            drop(place);
            return None;
        }
        Some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl crate::Gate {
    /// How many password jobs were done since the start: for metrics, and for tests that want to
    /// know that a refusal cost none.
    #[must_use]
    pub fn password_hashes(&self) -> u64 {
        self.inner.hashes.hashed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_types::OsEntropy;

    const CHEAP: PasswordParams = PasswordParams { memory_kib: 8, passes: 1, lanes: 1 };

    fn pool(limits: &Limits) -> HashPool {
        HashPool::new(CHEAP, limits, &OsEntropy).unwrap()
    }

    #[tokio::test]
    async fn a_password_opens_its_own_hash_only() {
        let pool = pool(&Limits::default());
        let right = SecretString::from("a-quiet-harbour-7");
        let hash = pool.hash_new(&right, &[], &OsEntropy).await.unwrap();
        assert!(pool.verify(&right, Some(&hash)).await.unwrap());
        assert!(!pool.verify(&"a-quiet-harbour-8".into(), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_costs_as_much_as_somebody() {
        let pool = pool(&Limits::default());
        assert!(!pool.verify(&"a-quiet-harbour-7".into(), None).await.unwrap());
        assert_eq!(pool.hashed(), 1);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let pool = Arc::new(pool(&Limits { password_hashers: 1, password_queue: 1, ..Limits::default() }));
        let turn = Arc::clone(&pool.turns).acquire_owned().await.unwrap();
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.verify(&"a-quiet-harbour-7".into(), None).await }
        });
        while pool.waiting.load(Ordering::Acquire) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.verify(&"a-quiet-harbour-7".into(), None).await, Err(HashError::Busy));
        drop(turn);
        assert_eq!(waiting.await.unwrap(), Ok(false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_ends_in_busy() {
        let pool = pool(&Limits { password_hashers: 1, ..Limits::default() });
        let _turn = Arc::clone(&pool.turns).acquire_owned().await.unwrap();
        assert_eq!(pool.verify(&"a-quiet-harbour-7".into(), None).await, Err(HashError::Busy));
    }
}
