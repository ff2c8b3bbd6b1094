//! Building every part from the configuration, in the order in which they need each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidegate_db::{Bus, Db, DbOptions, LocalBus};
use tidegate_documents::{
    Blog, Brief, ChildExtractor, Conversations, Documents, DocumentsParts, Extractor, MasterMode,
    SqliteDocuments, Writer,
};
use tidegate_events::{Events, EventsParts, SqliteEvents};
use tidegate_gate::{Fetch, Gate, GateParts, NoFetch, SqliteGate};
use tidegate_generations::{Framework, Generations, GenerationsConfig, GenerationsParts, SqliteGenerations};
use tidegate_log::{Log, SqliteLogStore};
use tidegate_subscriptions::{SqliteSubscriptions, Subscriptions, SubscriptionsParts, WebhookPolicy};
use tidegate_types::{Clock, Entropy, Limits, OsEntropy, SystemClock};

use super::directory::GateDirectory;
use super::feed::FeedAnnounce;
use super::fetch::HttpFetch;
use super::goodbye::Goodbyes;
use super::settings;
use super::talk::{model, open_conversations};
use super::webhook::HttpDeliver;
use crate::command::CommandFramework;
use crate::config::{self, Config, Loaded, Refusal};

/// What a server is built from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The settings, already checked.
    pub config: Config,
    /// The data folder.
    pub data: PathBuf,
    /// The database file.
    pub database: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What takes the text out of uploaded files.
    pub extractor: Arc<dyn Extractor>,
}

impl Setup {
    /// The setup of a configuration, with the machine's clock and randomness.
    ///
    /// # Errors
    /// The database setting names no file.
    pub fn of(loaded: &Loaded) -> Result<Self, Refusal> {
        Ok(Self {
            config: loaded.config.clone(),
            data: loaded.data.clone(),
            database: config::database_file(&loaded.config, &loaded.data)?,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            extractor: Arc::new(own_extractor()?),
        })
    }

    /// All bounds, with those that have a home in another section put in.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let mut limits = self.config.limits.clone();
        if let Some(attempts) = self.config.generations.max_attempts {
            limits.generation_attempts = u64::from(attempts);
        }
        limits
    }
}

/// This very program, called with its hidden verb.
fn own_extractor() -> Result<ChildExtractor, Refusal> {
    let program = std::env::current_exe().map_err(|error| {
        let reason = format!("can't be processed, this program does not find itself: {error}");
        Refusal::new("documents", reason, "start it by its whole path")
    })?;
    Ok(ChildExtractor::new(program, vec!["extract".into()]))
}

/// Everything that the edge and the command line work with.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) db: Db,
    pub(super) log: Log,
    pub(super) gate: Gate,
    pub(super) events: Events,
    pub(super) generations: Generations,
    pub(super) documents: Documents,
    pub(super) subscriptions: Subscriptions,
    pub(super) conversations: Conversations,
    pub(super) goodbyes: Arc<Goodbyes>,
    pub(super) limits: Arc<Limits>,
}

const DAY: Duration = Duration::from_secs(86_400);
const HINTS: usize = 1_024;

/// Makes the data folder, for its owner only.
///
/// # Errors
/// It can't be made.
pub fn make_folder(path: &Path) -> Result<(), Refusal> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| {
        Refusal::new(
            "server.data",
            format!("= {} can't be made: {error}", path.display()),
            "name a folder that this user may write with --data",
        )
    })
}

/// Opens the database file, making it if it is not there.
async fn open_database(path: &Path, log_file_bytes: u64) -> Result<Db, Refusal> {
    let options = DbOptions { log_file_bytes, ..DbOptions::default() };
    // The system's words, without repeating the path.
    Db::open(path, &options).await.map_err(|error| unusable(path, &error))
}

pub(super) fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        "database.url",
        format!("= {} is unreachable: {error}", path.display()),
        "check that the folder exists, that this user may write it, and that the file is a database of this version",
    )
}

/// The gate alone, for the command line's work on the data folder.
///
/// # Errors
/// The database or a setting can't be used.
pub async fn open_gate(setup: &Setup) -> Result<Gate, Refusal> {
    let db = open_database(&setup.database, 0).await?;
    let store = open_gate_store(setup, &db).await?;
    gate(setup, store, Arc::new(setup.limits()), Arc::new(NoFetch)).await
}

async fn open_gate_store(setup: &Setup, db: &Db) -> Result<Arc<SqliteGate>, Refusal> {
    SqliteGate::open(db.clone()).await.map(Arc::new).map_err(|error| unusable(&setup.database, &error))
}

async fn gate(
    setup: &Setup,
    store: Arc<SqliteGate>,
    limits: Arc<Limits>,
    fetch: Arc<dyn Fetch>,
) -> Result<Gate, Refusal> {
    let bus: Arc<dyn Bus> = Arc::new(LocalBus::new(HINTS));
    let parts = GateParts {
        store,
        clock: Arc::clone(&setup.clock),
        entropy: Arc::clone(&setup.entropy),
        bus,
        fetch,
        config: settings::gate(setup)?,
        limits,
    };
    Gate::open(parts).await.map_err(|error| settings::gate_refusal(&setup.database, &error))
}

/// What the server itself runs.
fn built_in(setup: &Setup, documents: &Documents) -> Vec<Arc<dyn Framework>> {
    let writer = model(setup).map(|model| Writer::new(model, Arc::clone(&setup.entropy)));
    let mut frameworks: Vec<Arc<dyn Framework>> =
        vec![Arc::new(Brief::new(documents.clone())), Arc::new(Blog::new(documents.clone(), writer.clone()))];
    if let Some(writer) = writer {
        frameworks.push(Arc::new(MasterMode::new(writer)));
    }
    if !setup.config.command.is_empty() {
        frameworks.push(Arc::new(CommandFramework::new(setup.config.command.clone())));
    }
    frameworks
}

/// Opens every part, bringing tables up to date on the way.
pub(super) async fn open_parts(setup: &Setup) -> Result<Parts, Refusal> {
    let unusable = |error: &dyn std::fmt::Display| unusable(&setup.database, error);
    let limits = Arc::new(setup.limits());
    let db = open_database(&setup.database, limits.database_log_bytes).await?;
    let options = settings::log(setup, &limits)?;
    let store = SqliteLogStore::open_with(db.clone(), &options).await.map_err(|error| unusable(&error))?;
    let log = Log::open(Arc::new(store), options, Arc::clone(&setup.clock))
        .await
        .map_err(|error| unusable(&error))?;
    let gate_store = open_gate_store(setup, &db).await?;
    let fetch = Arc::new(HttpFetch::default());
    let gate = gate(setup, Arc::clone(&gate_store), Arc::clone(&limits), fetch).await?;
    let store = SqliteEvents::open(db.clone()).await.map_err(|error| unusable(&error))?;
    let events = Events::open(EventsParts {
        store: Arc::new(store),
        log: log.clone(),
        users: Arc::new(GateDirectory(gate.clone())),
        clock: Arc::clone(&setup.clock),
        entropy: Arc::clone(&setup.entropy),
        limits: Arc::clone(&limits),
        retention: DAY * setup.config.retention.feed_days,
    })
    .await
    .map_err(|error| unusable(&error))?;
    let documents = open_documents(setup, &db, &log, &events, &limits).await?;
    let conversations = open_conversations(setup, &db, &log, &documents, &limits).await?;
    let store = SqliteGenerations::open(db.clone()).await.map_err(|error| unusable(&error))?;
    let generations = Generations::open(GenerationsParts {
        store: Arc::new(store),
        log: log.clone(),
        announce: Arc::new(FeedAnnounce(events.clone())),
        clock: Arc::clone(&setup.clock),
        entropy: Arc::clone(&setup.entropy),
        limits: Arc::clone(&limits),
        config: GenerationsConfig {
            external: setup.config.generations.external.clone(),
            retention: DAY * setup.config.retention.generation_days,
        },
        frameworks: built_in(setup, &documents),
    })
    .await
    .map_err(|error| unusable(&error))?;
    let subscriptions = subscriptions(setup, &db, &log, &gate, &limits).await?;
    let goodbyes = Arc::new(Goodbyes::new(gate_store, events.clone()));
    Ok(Parts {
        db,
        log,
        gate,
        events,
        generations,
        documents,
        subscriptions,
        conversations,
        goodbyes,
        limits,
    })
}

async fn open_documents(
    setup: &Setup,
    db: &Db,
    log: &Log,
    events: &Events,
    limits: &Arc<Limits>,
) -> Result<Documents, Refusal> {
    let store = SqliteDocuments::open(db.clone(), limits.search_words).await;
    let store = Arc::new(store.map_err(|error| unusable(&setup.database, &error))?);
    let folder = setup.config.documents.folder.clone().unwrap_or_else(|| setup.data.join("documents"));
    let parts = DocumentsParts {
        search: Arc::clone(&store) as Arc<dyn tidegate_documents::Search>,
        store,
        log: log.clone(),
        events: events.clone(),
        extractor: Arc::clone(&setup.extractor),
        folder: folder.clone(),
        clock: Arc::clone(&setup.clock),
        entropy: Arc::clone(&setup.entropy),
        limits: Arc::clone(limits),
    };
    Documents::open(parts).await.map_err(|error| {
        let reason = format!("= {} can't be used: {error}", folder.display());
        Refusal::new("documents.folder", reason, "name a folder that this user may write")
    })
}

async fn subscriptions(
    setup: &Setup,
    db: &Db,
    log: &Log,
    gate: &Gate,
    limits: &Arc<Limits>,
) -> Result<Subscriptions, Refusal> {
    let unusable = |error: &dyn std::fmt::Display| unusable(&setup.database, error);
    let store = SqliteSubscriptions::open(db.clone()).await.map_err(|error| unusable(&error))?;
    let webhooks = &setup.config.webhooks;
    Subscriptions::open(SubscriptionsParts {
        store: Arc::new(store),
        log: log.clone(),
        deliver: Arc::new(HttpDeliver::default()),
        webhooks: WebhookPolicy { enabled: webhooks.enabled, allow_loopback: webhooks.allow_loopback },
        secret: gate.key_of_part("subscriptions"),
        clock: Arc::clone(&setup.clock),
        entropy: Arc::clone(&setup.entropy),
        limits: Arc::clone(limits),
    })
    .await
    .map_err(|error| unusable(&error))
}
