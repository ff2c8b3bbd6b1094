//! Generations over a real database, with a clock that the test moves.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_db::{Db, DbError, DbOptions};
use tidegate_generations::{
    Announce, AnnounceFailed, Announcement, Claim, Claimable, ClaimableQuery, Claimed, Framework, Generation,
    GenerationStore, Generations, GenerationsConfig, GenerationsParts, ListQuery, New, Progress, Row, Save,
    SqliteGenerations,
};
use tidegate_log::{Log, LogOptions, ReadBound, SqliteLogStore};
use tidegate_types::{Clock, GenerationId, Limits, Offset, OsEntropy, ReadFrom, Timestamp, UserId};

#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Keeps what was told; refuses while `broken`.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    heard: Mutex<Vec<Announcement>>,
    pub(crate) broken: std::sync::atomic::AtomicBool,
}

impl Ears {
    pub(crate) fn heard(&self) -> Vec<Announcement> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn types(&self) -> Vec<&'static str> {
        self.heard().iter().map(|heard| heard.event_type).collect()
    }
}

#[async_trait]
impl Announce for Ears {
    async fn announce(&self, announcement: &Announcement) -> Result<(), AnnounceFailed> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(AnnounceFailed("planted".to_owned()));
        }
        self.heard.lock().unwrap().push(announcement.clone());
        Ok(())
    }
}

/// A store whose next saves fail after the record was written.
pub(crate) struct Faulty {
    store: SqliteGenerations,
    saves_to_fail: Arc<AtomicUsize>,
}

#[async_trait]
impl GenerationStore for Faulty {
    async fn lookup(&self, id: &GenerationId) -> Result<Option<Row>, DbError> {
        self.store.lookup(id).await
    }
    async fn save(&self, save: Save) -> Result<(), DbError> {
        let fails = self.saves_to_fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if fails.is_ok() {
            return Err(DbError::Unavailable("planted".to_owned()));
        }
        self.store.save(save).await
    }
    async fn remove(&self, id: &GenerationId) -> Result<bool, DbError> {
        self.store.remove(id).await
    }
    async fn list(&self, query: ListQuery) -> Result<Vec<(i64, Row)>, DbError> {
        self.store.list(query).await
    }
    async fn list_claimable(&self, query: ClaimableQuery) -> Result<Vec<Claimable>, DbError> {
        self.store.list_claimable(query).await
    }
    async fn queue_place(&self, id: &GenerationId) -> Result<Option<u64>, DbError> {
        self.store.queue_place(id).await
    }
    async fn list_positions(
        &self,
        after: Option<&GenerationId>,
        up_to: Option<&GenerationId>,
    ) -> Result<Vec<(GenerationId, Offset)>, DbError> {
        self.store.list_positions(after, up_to).await
    }
    async fn list_lapsed(&self, now: Timestamp, limit: usize) -> Result<Vec<GenerationId>, DbError> {
        self.store.list_lapsed(now, limit).await
    }
    async fn extend_leases(&self, now: Timestamp) -> Result<usize, DbError> {
        self.store.extend_leases(now).await
    }
    async fn list_finished(&self, before: Timestamp, limit: usize) -> Result<Vec<GenerationId>, DbError> {
        self.store.list_finished(before, limit).await
    }
    async fn list_announcements(&self, limit: usize) -> Result<Vec<(i64, Announcement)>, DbError> {
        self.store.list_announcements(limit).await
    }
    async fn forget_announcements(&self, up_to: i64) -> Result<(), DbError> {
        self.store.forget_announcements(up_to).await
    }
}

pub(crate) struct Rig {
    pub(crate) generations: Generations,
    pub(crate) log: Log,
    pub(crate) store: SqliteGenerations,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ears: Arc<Ears>,
    pub(crate) saves_to_fail: Arc<AtomicUsize>,
    pub(crate) owner: UserId,
    dir: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(1_763_690_000_123)));
        Self::over(dir, clock, Arc::default(), Vec::new()).await
    }

    /// The same data, as after a restart.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(Vec::new()).await
    }

    /// The same, with these frameworks built in.
    pub(crate) async fn restart_with(self, frameworks: Vec<Arc<dyn Framework>>) -> Self {
        let Self { dir, clock, ears, .. } = self;
        Self::over(dir, clock, ears, frameworks).await
    }

    async fn over(
        dir: tempfile::TempDir,
        clock: Arc<ManualClock>,
        ears: Arc<Ears>,
        frameworks: Vec<Arc<dyn Framework>>,
    ) -> Self {
        let db = Db::open(&dir.path().join("t.db"), &DbOptions::default()).await.unwrap();
        let limits = Arc::new(Limits::default());
        let log_store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
        let clock_dyn: Arc<dyn Clock> = clock.clone();
        let log = Log::open(log_store, LogOptions::from_limits(&limits), clock_dyn.clone()).await.unwrap();
        let store = SqliteGenerations::open(db).await.unwrap();
        let saves_to_fail = Arc::new(AtomicUsize::new(0));
        let generations = Generations::open(GenerationsParts {
            store: Arc::new(Faulty { store: store.clone(), saves_to_fail: saves_to_fail.clone() }),
            log: log.clone(),
            announce: ears.clone(),
            clock: clock_dyn,
            entropy: Arc::new(OsEntropy),
            limits,
            config: GenerationsConfig {
                external: vec!["external".to_owned(), "codegen".to_owned()],
                retention: Duration::from_secs(90 * 86_400),
            },
            frameworks,
        })
        .await
        .unwrap();
        let owner = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        Self { generations, log, store, clock, ears, saves_to_fail, owner, dir }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn create(&self, id: &str) -> Generation {
        self.create_with(id, 1).await
    }

    pub(crate) async fn create_with(&self, id: &str, max_attempts: u32) -> Generation {
        let new = New { max_attempts: Some(max_attempts), ..new(id) };
        self.generations.create(self.owner, new).await.unwrap().record
    }

    pub(crate) async fn claim(&self) -> Option<Claimed> {
        self.generations.claim(claim()).await.unwrap()
    }

    /// Creates one and claims it.
    pub(crate) async fn claimed(&self, id: &str, max_attempts: u32) -> Claimed {
        self.create_with(id, max_attempts).await;
        let claimed = self.claim().await.unwrap();
        assert_eq!(claimed.generation.id, id_of(id));
        claimed
    }

    pub(crate) async fn lookup(&self, id: &str) -> Generation {
        self.generations.lookup(&id_of(id)).await.unwrap().unwrap()
    }

    pub(crate) async fn step(&self) -> Timestamp {
        self.generations.step(self.now()).await.unwrap()
    }

    /// All records of the stream as JSON, and whether it is closed.
    pub(crate) async fn records(&self, id: &str) -> (Vec<Value>, bool) {
        let path = Generations::stream_path(&id_of(id));
        let bound = ReadBound { records: 10_000, bytes: 1 << 20 };
        let page = self.log.read(&path, ReadFrom::Start, bound).await.unwrap();
        let records = page.records.iter().map(|record| serde_json::from_slice(&record.data).unwrap());
        (records.collect(), page.closed)
    }

    /// What the row says without any mending.
    pub(crate) async fn stored(&self, id: &str) -> Option<Row> {
        self.store.lookup(&id_of(id)).await.unwrap()
    }
}

pub(crate) fn id_of(text: &str) -> GenerationId {
    text.parse().unwrap()
}

pub(crate) fn new(id: &str) -> New {
    New {
        id: Some(id_of(id)),
        title: Some("A title".to_owned()),
        prompt: "Write".to_owned(),
        framework: "external".to_owned(),
        options: serde_json::from_value(json!({"quality": "high"})).unwrap(),
        document_ids: vec!["d-1".to_owned()],
        max_attempts: None,
    }
}

pub(crate) fn claim() -> Claim {
    Claim {
        worker: "w-1".to_owned(),
        key_id: "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap(),
        owner: None,
        frameworks: vec!["external".to_owned()],
        lease: Duration::from_secs(30),
        wait: Duration::ZERO,
        id: None,
    }
}

pub(crate) fn report(stage: &str, progress: f64) -> Progress {
    Progress { stage: stage.to_owned(), progress: Some(progress), ..Progress::default() }
}
