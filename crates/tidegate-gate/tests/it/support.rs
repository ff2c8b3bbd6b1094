//! What the tests of accounts share: a gate on a real file, a clock that is moved by hand, cheap
//! password hashes, and a fetcher that counts.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_db::{Db, DbOptions, LocalBus};
use tidegate_gate::{
    AuditFilter, AuditKind, AuditOrder, AuditPage, AuthError, ClientFacts, ExposeSecret as _, Fetch,
    FetchError, Gate, GateConfig, GateParts, Issued, Login, LoginError, PasswordParams, Principal, Register,
    SessionKind, SignedIn, SqliteGate, Tokens, UserPrincipal,
};
use tidegate_types::{Clock, Limits, OsEntropy, Timestamp};

pub(crate) const SECRET: &str = "a master secret of the tests, long enough 0123456789";
pub(crate) const EMAIL: &str = "ada@example.test";
pub(crate) const PASSWORD: &str = "a-quiet-harbour-7";

#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Answers every fetch with the same document and counts them.
#[derive(Debug, Default)]
pub(crate) struct CountingFetch {
    pub(crate) document: Mutex<Option<Vec<u8>>>,
    pub(crate) fetches: AtomicUsize,
}

#[async_trait]
impl Fetch for CountingFetch {
    async fn fetch(&self, _: &str, _: usize, _: Duration) -> Result<Vec<u8>, FetchError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.document.lock().unwrap().clone().ok_or_else(|| FetchError("down".to_owned()))
    }
}

pub(crate) struct Desk {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) fetch: Arc<CountingFetch>,
    pub(crate) config: GateConfig,
    db: Db,
    limits: Arc<Limits>,
    _dir: tempfile::TempDir,
}

pub(crate) fn config() -> GateConfig {
    GateConfig {
        password_params: PasswordParams { memory_kib: 8, passes: 1, lanes: 1 },
        ..GateConfig::new(SECRET.to_owned().into())
    }
}

pub(crate) fn loose() -> Limits {
    Limits {
        auth_per_minute_per_address: 1_000_000,
        logins_per_minute_per_account: 1_000_000,
        ..Limits::default()
    }
}

pub(crate) async fn desk() -> Desk {
    desk_with(config(), loose()).await
}

pub(crate) async fn desk_with(config: GateConfig, limits: Limits) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(HandClock(AtomicI64::new(1_763_690_000_123)));
    let db = Db::open(&dir.path().join("gate.db"), &DbOptions::default()).await.unwrap();
    let (fetch, limits) = (Arc::new(CountingFetch::default()), Arc::new(limits));
    let gate = open(db.clone(), &clock, &fetch, &config, &limits).await;
    Desk { gate, clock, fetch, config, db, limits, _dir: dir }
}

async fn open(
    db: Db,
    clock: &Arc<HandClock>,
    fetch: &Arc<CountingFetch>,
    config: &GateConfig,
    limits: &Arc<Limits>,
) -> Gate {
    let parts = GateParts {
        store: Arc::new(SqliteGate::open(db).await.unwrap()),
        clock: Arc::<HandClock>::clone(clock),
        entropy: Arc::new(OsEntropy),
        bus: Arc::new(LocalBus::new(16)),
        fetch: Arc::<CountingFetch>::clone(fetch),
        config: config.clone(),
        limits: Arc::clone(limits),
    };
    Gate::open(parts).await.unwrap()
}

impl Desk {
    /// Another process on the same file.
    pub(crate) async fn other_process(&self) -> Gate {
        let db = Db::open(self.db.path(), &DbOptions::default()).await.unwrap();
        open(db, &self.clock, &self.fetch, &self.config, &self.limits).await
    }

    pub(crate) async fn sql(&self, sql: &'static str) {
        self.db.write(move |tx| tx.execute_batch(sql).map_err(tidegate_db::DbError::from)).await.unwrap();
    }

    pub(crate) async fn register(&self) -> SignedIn {
        self.gate.register(ada(), SessionKind::Token, &facts()).await.unwrap()
    }

    pub(crate) async fn login(&self, kind: SessionKind) -> Result<SignedIn, LoginError> {
        self.login_with(EMAIL, PASSWORD, kind).await
    }

    pub(crate) async fn login_with(
        &self,
        email: &str,
        password: &str,
        kind: SessionKind,
    ) -> Result<SignedIn, LoginError> {
        let login = Login { email: email.to_owned(), password: password.to_owned().into() };
        self.gate.login(login, kind, &facts()).await
    }

    pub(crate) async fn bearer(&self, token: &str) -> Result<Principal, AuthError> {
        self.gate.authenticate_bearer(token, &facts()).await
    }

    pub(crate) async fn user_of(&self, tokens: &Tokens) -> UserPrincipal {
        let principal = self.bearer(tokens.access_token.expose_secret()).await.unwrap();
        principal.user().unwrap().clone()
    }

    /// How many events of this kind the audit holds.
    pub(crate) async fn audited(&self, kind: AuditKind) -> usize {
        self.gate.step(self.clock.now()).await;
        let filter = AuditFilter { kind: Some(kind), ..AuditFilter::default() };
        let page = AuditPage { cursor: None, limit: 200, order: AuditOrder::OldestFirst };
        self.gate.list_audit(filter, page).await.unwrap().len()
    }
}

pub(crate) fn ada() -> Register {
    Register { email: EMAIL.to_owned(), password: PASSWORD.to_owned().into(), name: Some("Ada".to_owned()) }
}

pub(crate) fn facts() -> ClientFacts {
    ClientFacts { address: IpAddr::V4(Ipv4Addr::LOCALHOST), ..ClientFacts::local() }
}

pub(crate) fn tokens(signed_in: &SignedIn) -> &Tokens {
    match &signed_in.issued {
        Issued::Tokens(tokens) => tokens,
        Issued::Cookie(_) => panic!("a cookie was issued"),
    }
}

/// The example key of RFC 8410, section 10.3.
pub(crate) const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";

/// A compact token with any header and claims, signed as told.
pub(crate) fn forge(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> String) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{signature}")
}

pub(crate) fn hs256(secret: &[u8]) -> impl FnOnce(&[u8]) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    move |message| jsonwebtoken::crypto::sign(message, &key, jsonwebtoken::Algorithm::HS256).unwrap()
}

pub(crate) fn eddsa() -> impl FnOnce(&[u8]) -> String {
    let key = jsonwebtoken::EncodingKey::from_ed_pem(ED25519_PEM.as_bytes()).unwrap();
    move |message| jsonwebtoken::crypto::sign(message, &key, jsonwebtoken::Algorithm::EdDSA).unwrap()
}
