//! The real server on port 0, in this process, on a folder of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use tidegate::config::{Config, Hidden, ListenAddr};
use tidegate::server::{ServeError, Server, Setup};
use tidegate_db::Db;
use tidegate_documents::Documents;
use tidegate_documents::suite::InProcess;
use tidegate_events::Events;
use tidegate_gate::Gate;
use tidegate_generations::Generations;
use tidegate_log::Log;
use tidegate_types::{Clock, OsEntropy, SystemClock};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::eventually::PATIENCE;
use crate::process::TEST_SECRET;
use crate::raw::RawConnection;

/// A running server. Dropping it stops it; [`TestServer::stop`] also waits and checks.
#[derive(Debug)]
pub struct TestServer {
    addr: SocketAddr,
    gate: Gate,
    log: Log,
    events: Events,
    generations: Generations,
    documents: Documents,
    db: Db,
    folder: Arc<tempfile::TempDir>,
    config: Config,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
    numbers: Arc<AtomicU64>,
}

/// A server that is about to start.
pub struct TestServerBuilder {
    config: Config,
    clock: Arc<dyn Clock>,
    folder: Option<Arc<tempfile::TempDir>>,
    addr: SocketAddr,
    numbers: Arc<AtomicU64>,
}

/// Settings of tests: cheap hashes, and rate limits out of the way unless a test is about them.
fn test_config() -> Config {
    let mut config = Config::default();
    config.server.addr = ListenAddr::loopback(0);
    config.auth.jwt_secret = Some(Hidden::from(TEST_SECRET.to_owned()));
    config.auth.password_memory_kib = 64;
    config.auth.password_rounds = 1;
    config.limits.auth_per_minute_per_address = 1_000_000;
    config.limits.logins_per_minute_per_account = 1_000_000;
    config.limits.tickets_per_minute_per_user = 1_000_000;
    config.limits.anonymous_per_minute_per_address = 1_000_000;
    config.limits.drain_notice_ms = 0;
    config.log.level = "warn".to_owned();
    config
}

impl TestServer {
    /// A server with the settings of tests.
    ///
    /// # Errors
    /// It can't start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::build().start().await
    }

    /// A server with other settings.
    ///
    /// # Errors
    /// It can't start.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        Self::build().config(change).start().await
    }

    /// A server to be put together.
    #[must_use]
    pub fn build() -> TestServerBuilder {
        TestServerBuilder {
            config: test_config(),
            clock: Arc::new(SystemClock),
            folder: None,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            numbers: Arc::default(),
        }
    }

    /// Its address.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its URL with a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// A client without a credential.
    ///
    /// # Errors
    /// The HTTP client can't be set up.
    pub fn anonymous(&self) -> anyhow::Result<Api> {
        Api::new(self.url(""), None)
    }

    /// A socket to it.
    ///
    /// # Errors
    /// It does not listen any more.
    pub async fn raw(&self) -> anyhow::Result<RawConnection> {
        RawConnection::open(self.addr).await
    }

    /// Its gate.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Its streams.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Its events.
    #[must_use]
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// Its documents.
    #[must_use]
    pub const fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Its generations.
    #[must_use]
    pub const fn generations(&self) -> &Generations {
        &self.generations
    }

    /// Its database.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Begins a drain, as SIGTERM does, and does not wait.
    pub fn begin_drain(&self) {
        self.shutdown.cancel();
    }

    /// Drains, waits for the end and passes on how it ended.
    ///
    /// # Errors
    /// It did not end in time, or not well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(PATIENCE * 2, &mut self.serving).await;
        ended.context("the server did not stop in time")???;
        Ok(())
    }

    /// Stops and starts again on the same folder and address.
    ///
    /// # Errors
    /// It did not stop, or can't start.
    pub async fn restart(self) -> anyhow::Result<Self> {
        let builder = TestServerBuilder {
            config: self.config.clone(),
            clock: Arc::clone(&self.clock),
            folder: Some(Arc::clone(&self.folder)),
            addr: self.addr,
            numbers: Arc::clone(&self.numbers),
        };
        self.stop().await?;
        builder.start().await
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.serving.abort();
    }
}

impl TestServerBuilder {
    /// Changes settings.
    #[must_use]
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// It can't start.
    pub async fn start(self) -> anyhow::Result<TestServer> {
        let folder = match self.folder {
            Some(folder) => folder,
            None => Arc::new(tempfile::tempdir()?),
        };
        let setup = Setup {
            config: self.config.clone(),
            data: folder.path().to_owned(),
            database: folder.path().join("tidegate.db"),
            clock: Arc::clone(&self.clock),
            entropy: Arc::new(OsEntropy),
            // The program of this process is a test, which has no verb to call.
            extractor: Arc::new(InProcess),
        };
        tidegate::server::start_logs(&self.config.log);
        let server = Server::open(setup).await?;
        let listener = TcpListener::bind(self.addr).await?;
        let addr = listener.local_addr()?;
        let shutdown = CancellationToken::new();
        Ok(TestServer {
            addr,
            gate: server.gate().clone(),
            log: server.log().clone(),
            events: server.events().clone(),
            generations: server.generations().clone(),
            documents: server.documents().clone(),
            db: server.db().clone(),
            folder,
            config: self.config,
            clock: self.clock,
            serving: tokio::spawn(server.serve(listener, shutdown.clone())),
            shutdown,
            numbers: self.numbers,
        })
    }
}
