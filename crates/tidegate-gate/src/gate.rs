//! The gate itself: what it is made of, and how it is opened.
//!
//! Owns: its parts and settings. Each concept brings its own methods on [`Gate`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tidegate_db::Bus;
use tidegate_types::{Clock, Entropy, Limits, Timestamp};

use crate::accounts::Present;
use crate::issuers::Issuers;
use crate::live::Live;
use crate::passwords::HashPool;
use crate::rates::Rates;
use crate::revocation::RevocationMap;
use crate::seen::Seen;
use crate::tickets::Fresh;
use crate::tokens::Keys;
use crate::{Fetch, GateError, GateStore, IssuerConfig, PasswordParams, SigningKey};

/// What the gate is made of; the binary wires it.
pub struct GateParts {
    /// The tables.
    pub store: Arc<dyn GateStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Hints to other nodes.
    pub bus: Arc<dyn Bus>,
    /// Outgoing calls, for outside issuers.
    pub fetch: Arc<dyn Fetch>,
    /// The settings.
    pub config: GateConfig,
    /// The bounds.
    pub limits: Arc<Limits>,
}

/// The settings of the gate.
#[derive(Clone, Debug)]
pub struct GateConfig {
    /// The master secret (`JWT_SECRET`), at least 32 bytes. All other keys are derived from it.
    pub secret: SecretString,
    /// What own access tokens are signed with.
    pub signing: SigningKey,
    /// The `iss` of own access tokens.
    pub issuer: String,
    /// The `aud` of own access tokens.
    pub audience: String,
    /// The life of an own access token.
    pub access_life: Duration,
    /// Outside issuers.
    pub issuers: Vec<IssuerConfig>,
    /// What a password hash costs.
    pub password_params: PasswordParams,
    /// The server's own origins (`https://tide.example`), for tickets.
    pub own_origins: Vec<String>,
    /// How long things are kept.
    pub retention: GateRetention,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateRetention {
    /// Rows of the audit.
    pub audit: Duration,
    /// Revocations; never less than the life of what they revoke.
    pub revocations: Duration,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for GateRetention {
    fn default() -> Self {
        Self { audit: DAY * 180, revocations: DAY * 31 }
    }
}

impl GateConfig {
    /// The default settings with this master secret.
    #[must_use]
    pub fn new(secret: SecretString) -> Self {
        Self {
            secret,
            signing: SigningKey::Secret,
            issuer: "tidegate".to_owned(),
            audience: "tidegate".to_owned(),
            access_life: Duration::from_secs(600),
            issuers: Vec::new(),
            password_params: PasswordParams::default(),
            own_origins: Vec::new(),
            retention: GateRetention::default(),
        }
    }
}

impl GateConfig {
    /// Refuses settings that can't work together.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn validate(&self) -> Result<(), GateError> {
        let refused = |setting, reason: &str| Err(GateError::Config { setting, reason: reason.to_owned() });
        if self.issuer.is_empty() || self.audience.is_empty() {
            return refused("auth.issuer", "issuer and audience must be set");
        }
        if self.access_life.as_secs() == 0 {
            return refused("auth.jwt_expires_in", "an access token lives at least a second");
        }
        if self.access_life > self.retention.revocations {
            return refused(
                "retention.revocations",
                "revocations are kept no shorter than access tokens live",
            );
        }
        let mut names: Vec<&str> = self.issuers.iter().map(|issuer| issuer.iss.as_str()).collect();
        names.push(&self.issuer);
        names.sort_unstable();
        // Two key sets for one name would make each able to speak for the other.
        if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return refused("issuer", "each `iss` may be listed once, and not be our own");
        }
        self.issuers.iter().try_for_each(IssuerConfig::validate)
    }
}

/// The gate. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn GateStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) config: GateConfig,
    pub(crate) limits: Arc<Limits>,
    pub(crate) rates: Rates,
    pub(crate) revocations: RevocationMap,
    pub(crate) live: Live,
    pub(crate) keys: Keys,
    pub(crate) hashes: HashPool,
    pub(crate) issuers: Issuers,
    pub(crate) present: Present,
    pub(crate) seen: Seen,
    pub(crate) fresh: Fresh,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// Opens the gate: checks the settings, derives the keys, reads the revocations.
    ///
    /// # Errors
    /// A setting cannot be used, or the store failed.
    pub async fn open(parts: GateParts) -> Result<Self, GateError> {
        let GateParts { store, clock, entropy, bus, fetch, config, limits } = parts;
        let rates = Rates::new(&limits, &clock);
        let revocations = RevocationMap::default();
        let live = Live::new(Arc::clone(&store) as _, &clock, &limits);
        config.validate()?;
        let keys = Keys::derive(&config.secret, &config.signing)?;
        let hashes = HashPool::new(config.password_params, &limits, &*entropy)
            .map_err(|error| GateError::Config { setting: "auth.password", reason: error.to_string() })?;
        let inner = Inner {
            issuers: Issuers::new(&config.issuers),
            present: Present::default(),
            seen: Seen::default(),
            fresh: Fresh::default(),
            store,
            clock,
            entropy,
            bus,
            fetch,
            config,
            limits,
            rates,
            revocations,
            live,
            keys,
            hashes,
        };
        let gate = Self { inner: Arc::new(inner) };
        gate.poll_revocations(gate.now()).await?;
        Ok(gate)
    }

    /// A key derived from the master secret for one other part of the server, named by the binary.
    /// The same name gives the same key for as long as the secret stands.
    #[must_use]
    pub fn key_of_part(&self, part: &str) -> zeroize::Zeroizing<[u8; 32]> {
        self.inner.keys.of_part(part)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn store(&self) -> &dyn GateStore {
        &*self.inner.store
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.inner.entropy
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn config(&self) -> &GateConfig {
        &self.inner.config
    }
}
