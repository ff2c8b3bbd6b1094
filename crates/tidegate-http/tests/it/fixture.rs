//! A server of its own for each test, over real files, and a client that hides nothing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tempfile::TempDir;
use tidegate_db::{Db, DbOptions, LocalBus};
use tidegate_documents::suite::{AnyUser, InProcess};
use tidegate_documents::{
    Answerers, Conversations, ConversationsParts, Documents, DocumentsParts, Extractive, SqliteConversations,
    SqliteDocuments,
};
use tidegate_events::{Events, EventsParts, SqliteEvents};
use tidegate_gate::{Gate, GateConfig, GateParts, NoFetch, PasswordParams, SqliteGate};
use tidegate_generations::{Generations, GenerationsConfig, GenerationsParts, NoAnnounce, SqliteGenerations};
use tidegate_http::{HealthCheck, HttpConfig, HttpParts, Metrics, serve};
use tidegate_log::{Log, LogOptions, SqliteLogStore};
use tidegate_subscriptions::{
    NoDeliver, SqliteSubscriptions, Subscriptions, SubscriptionsParts, WebhookPolicy,
};
use tidegate_types::{Clock, Entropy, Limits, OsEntropy, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come: longer than a busy machine takes, and no claim about time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const DAY: Duration = Duration::from_secs(86_400);

/// What a test may decide.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) config: HttpConfig,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The gate behind it.
    pub(crate) gate: Gate,
    /// The log behind it.
    pub(crate) log: Log,
    metrics: Metrics,
    database: Arc<Switch>,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    _folder: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(decide: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            limits: Limits { drain_notice_ms: 0, ..Limits::default() },
            config: HttpConfig::default(),
        };
        // The suite runs on both ways to send a live stream; see CONTRIBUTING.md.
        setup.config.detach = std::env::var("TIDEGATE_SERVER_DETACH").as_deref() != Ok("false");
        decide(&mut setup);
        let folder = tempfile::tempdir().unwrap();
        let database = Arc::new(Switch::default());
        let parts = parts(&folder, setup, Arc::clone(&database)).await;
        let (gate, log, metrics) = (parts.gate.clone(), parts.log.clone(), parts.metrics.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(listener, parts, shutdown.clone()));
        Self { address, gate, log, metrics, database, shutdown, task, _folder: folder }
    }

    /// Sends bytes on a socket of its own and reads what comes until it is closed.
    pub(crate) async fn send(&self, request: &str) -> Answer {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // The server may refuse and close before all of it was written.
        let _ = socket.write_all(close_after(request).as_bytes()).await;
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut bytes)).await;
        read.expect("no answer").ok();
        Answer::parse(&bytes)
    }

    /// Waits until the metrics page is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&str) -> bool) {
        let poll = async {
            while !wanted(&self.metrics.render()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, poll).await;
        assert!(waited.is_ok(), "the metrics never got there:\n{}", self.metrics.render());
    }

    /// From now on the database says that it is broken.
    pub(crate) fn fail_database(&self, reason: &str) {
        *self.database.0.lock().unwrap() = Some(reason.to_owned());
    }

    /// Shuts down and waits for the end of the drain.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// One answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) raw: String,
    headers: Vec<(String, String)>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((&raw, ""));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|text| text.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Self { status: status.unwrap_or(0), body: body.to_owned(), headers, raw: raw.clone() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body of a refusal.
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.raw);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        self.problem()["code"].as_str().unwrap().to_owned()
    }
}

/// A `GET` as bytes.
pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// Asks for the connection to be closed, so that the end of the answer is seen.
fn close_after(request: &str) -> String {
    match request.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains("HTTP/1.1") => {
            format!("{head}\r\nConnection: close\r\n\r\n{body}")
        }
        _ => request.to_owned(),
    }
}

/// A database check that a test can break.
#[derive(Debug, Default)]
struct Switch(Mutex<Option<String>>);

#[async_trait]
impl HealthCheck for Switch {
    async fn check(&self) -> Result<(), String> {
        self.0.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

async fn gate(db: &Db, clock: &Arc<dyn Clock>, entropy: &Arc<dyn Entropy>, limits: &Arc<Limits>) -> Gate {
    let mut config = GateConfig::new("a secret of the tests that is long enough".to_owned().into());
    // The least work that the hash allows: these tests are not about hashing.
    config.password_params = PasswordParams { memory_kib: 8, passes: 1, lanes: 1 };
    let gate = Gate::open(GateParts {
        store: Arc::new(SqliteGate::open(db.clone()).await.unwrap()),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        bus: Arc::new(LocalBus::new(16)),
        fetch: Arc::new(NoFetch),
        config,
        limits: Arc::clone(limits),
    });
    gate.await.unwrap()
}

async fn talks(db: &Db, documents: &Documents, log: &Log, limits: &Arc<Limits>) -> Conversations {
    let talks = Conversations::open(ConversationsParts {
        store: Arc::new(SqliteConversations::new(db.clone())),
        log: log.clone(),
        library: Arc::new(documents.clone()),
        answerers: Answerers::new(Arc::new(Extractive), []),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        limits: Arc::clone(limits),
    });
    talks.await.unwrap()
}

async fn parts(folder: &TempDir, setup: Setup, db_check: Arc<Switch>) -> HttpParts {
    let db = Db::open(&folder.path().join("tidegate.db"), &DbOptions::default()).await.unwrap();
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let limits = Arc::new(setup.limits);
    let gate = gate(&db, &clock, &entropy, &limits).await;
    let store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
    let log = Log::open(store, LogOptions::default(), Arc::clone(&clock)).await.unwrap();
    let events = Events::open(EventsParts {
        store: Arc::new(SqliteEvents::open(db.clone()).await.unwrap()),
        log: log.clone(),
        users: Arc::new(AnyUser),
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        limits: Arc::clone(&limits),
        retention: DAY * 30,
    });
    let events = events.await.unwrap();
    let documents = documents(folder, &db, &log, &events, &limits).await;
    let conversations = talks(&db, &documents, &log, &limits).await;
    let subscriptions_db = db.clone();
    let generations = Generations::open(GenerationsParts {
        store: Arc::new(SqliteGenerations::open(db).await.unwrap()),
        log: log.clone(),
        announce: Arc::new(NoAnnounce),
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        limits: Arc::clone(&limits),
        config: GenerationsConfig {
            external: vec!["external".to_owned(), "master_mode".to_owned()],
            retention: DAY * 90,
        },
        frameworks: Vec::new(),
    });
    let generations = generations.await.unwrap();
    let subscriptions = subscriptions(subscriptions_db, &log, &gate, &limits).await;
    let (config, metrics) = (setup.config, Metrics::new());
    HttpParts {
        gate,
        log,
        events,
        generations,
        documents,
        subscriptions,
        conversations,
        db_check,
        clock,
        entropy,
        limits,
        config,
        metrics,
    }
}

/// Subscriptions without webhooks; nobody steps them here.
async fn subscriptions(db: Db, log: &Log, gate: &Gate, limits: &Arc<Limits>) -> Subscriptions {
    let opened = Subscriptions::open(SubscriptionsParts {
        store: Arc::new(SqliteSubscriptions::open(db).await.unwrap()),
        log: log.clone(),
        deliver: Arc::new(NoDeliver),
        webhooks: WebhookPolicy::default(),
        secret: gate.key_of_part("subscriptions"),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        limits: Arc::clone(limits),
    });
    opened.await.unwrap()
}

async fn documents(folder: &TempDir, db: &Db, log: &Log, events: &Events, limits: &Arc<Limits>) -> Documents {
    let store = Arc::new(SqliteDocuments::open(db.clone(), limits.search_words).await.unwrap());
    let opened = Documents::open(DocumentsParts {
        search: store.clone(),
        store,
        log: log.clone(),
        events: events.clone(),
        extractor: Arc::new(InProcess),
        folder: folder.path().join("documents"),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        limits: Arc::clone(limits),
    });
    opened.await.unwrap()
}
