//! The gate itself: what it is made of, and how it is opened.
//!
//! Owns: its parts and settings. Each concept brings its own methods on [`Gate`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tidegate_db::Bus;
use tidegate_types::{Clock, Entropy, Limits, Timestamp};

use crate::live::Live;
use crate::rates::Rates;
use crate::revocation::RevocationMap;
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
        let inner = Inner { store, clock, entropy, bus, fetch, config, limits, rates, revocations, live };
        let gate = Self { inner: Arc::new(inner) };
        gate.poll_revocations(gate.now()).await?;
        Ok(gate)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}
