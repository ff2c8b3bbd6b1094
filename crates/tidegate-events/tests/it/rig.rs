//! Events over a real database, with users and a clock that the test moves.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use serde_json::value::RawValue;
use tidegate_db::{Db, DbError, DbOptions};
use tidegate_events::{
    Audience, CatalogueType, Claimed, Events, EventsError, EventsParts, EventsStore, NewOperation, NewType,
    Operation, Publish, SqliteEvents, UserDirectory,
};
use tidegate_log::{Log, LogOptions, ReadBound, SqliteLogStore};
use tidegate_types::{Clock, Limits, Offset, OsEntropy, ReadFrom, Timestamp, UserId};

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

/// Users that the test names.
#[derive(Default)]
pub(crate) struct Users(Mutex<BTreeSet<UserId>>);

#[async_trait]
impl UserDirectory for Users {
    async fn list_users(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, EventsError> {
        let users = self.0.lock().unwrap();
        Ok(users
            .iter()
            .filter(|user| after.is_none_or(|after| **user > after))
            .take(limit)
            .copied()
            .collect())
    }

    async fn exists(&self, user: UserId) -> Result<bool, EventsError> {
        Ok(self.0.lock().unwrap().contains(&user))
    }
}

/// A store that can be cut off between the append and what follows it.
pub(crate) struct Faulty {
    store: SqliteEvents,
    faults: Arc<Faults>,
}

#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) settle: AtomicBool,
    pub(crate) advances_to_fail: AtomicUsize,
}

fn planted() -> DbError {
    DbError::Unavailable("planted".to_owned())
}

#[async_trait]
impl EventsStore for Faulty {
    async fn list_types(&self) -> Result<Vec<CatalogueType>, DbError> {
        self.store.list_types().await
    }
    async fn put_type(
        &self,
        new: &NewType,
        limit: u64,
        now: Timestamp,
    ) -> Result<Option<CatalogueType>, DbError> {
        self.store.put_type(new, limit, now).await
    }
    async fn claim_id(
        &self,
        user: UserId,
        id: &str,
        after: Offset,
        now: Timestamp,
    ) -> Result<Claimed, DbError> {
        self.store.claim_id(user, id, after, now).await
    }
    async fn settle_id(&self, user: UserId, id: &str, offset: Offset) -> Result<(), DbError> {
        if self.faults.settle.load(Ordering::SeqCst) {
            return Err(planted());
        }
        self.store.settle_id(user, id, offset).await
    }
    async fn forget_ids(&self, before: Timestamp, limit: usize) -> Result<usize, DbError> {
        self.store.forget_ids(before, limit).await
    }
    async fn insert_operation(
        &self,
        new: &NewOperation,
        running_max: usize,
    ) -> Result<Option<String>, DbError> {
        self.store.insert_operation(new, running_max).await
    }
    async fn lookup_operation(&self, id: &str) -> Result<Option<Operation>, DbError> {
        self.store.lookup_operation(id).await
    }
    async fn find_running_operation(&self) -> Result<Option<Operation>, DbError> {
        self.store.find_running_operation().await
    }
    async fn advance_operation(
        &self,
        id: &str,
        cursor: Option<UserId>,
        sent: u64,
        finished_at: Option<Timestamp>,
    ) -> Result<(), DbError> {
        let to_fail = &self.faults.advances_to_fail;
        if to_fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(planted());
        }
        self.store.advance_operation(id, cursor, sent, finished_at).await
    }
    async fn forget_operations(&self, before: Timestamp, limit: usize) -> Result<usize, DbError> {
        self.store.forget_operations(before, limit).await
    }
}

pub(crate) struct Rig {
    pub(crate) events: Events,
    pub(crate) log: Log,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) faults: Arc<Faults>,
    users: Arc<Users>,
    limits: Arc<Limits>,
    dir: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_763_690_000_123)));
        Self::over(tempfile::tempdir().unwrap(), clock, Arc::default(), Arc::new(limits)).await
    }

    /// The same data, as after a restart.
    pub(crate) async fn restart(self) -> Self {
        let Self { dir, clock, users, limits, .. } = self;
        Self::over(dir, clock, users, limits).await
    }

    async fn over(
        dir: tempfile::TempDir,
        clock: Arc<ManualClock>,
        users: Arc<Users>,
        limits: Arc<Limits>,
    ) -> Self {
        let db = Db::open(&dir.path().join("t.db"), &DbOptions::default()).await.unwrap();
        let log_store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
        let clock_dyn: Arc<dyn Clock> = clock.clone();
        let log = Log::open(log_store, LogOptions::from_limits(&limits), clock_dyn.clone()).await.unwrap();
        let faults = Arc::<Faults>::default();
        let store = Faulty { store: SqliteEvents::open(db).await.unwrap(), faults: faults.clone() };
        let events = Events::open(EventsParts {
            store: Arc::new(store),
            log: log.clone(),
            users: users.clone(),
            clock: clock_dyn,
            entropy: Arc::new(OsEntropy),
            limits: limits.clone(),
            retention: Duration::from_secs(30 * 86_400),
        })
        .await
        .unwrap();
        Self { events, log, clock, faults, users, limits, dir }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn add_users(&self, count: usize) -> Vec<UserId> {
        let new: Vec<_> = (0..count).map(|_| UserId::generate(self.now(), &OsEntropy)).collect();
        self.users.0.lock().unwrap().extend(&new);
        new
    }

    /// The records of a user's feed as JSON.
    pub(crate) async fn feed(&self, user: UserId) -> Vec<Value> {
        let bound = ReadBound { records: 10_000, bytes: 1 << 20 };
        match self.log.read(&Events::feed_path(user), ReadFrom::Start, bound).await {
            Ok(page) => page.records.iter().map(|r| serde_json::from_slice(&r.data).unwrap()).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Steps until nothing is left to do at once.
    pub(crate) async fn settle(&self) {
        for _ in 0..100 {
            if self.events.step(self.now()).await.unwrap() > self.now() {
                return;
            }
        }
        panic!("a hundred steps were not enough");
    }
}

pub(crate) fn publish(audience: Audience, name: &str, data: &str) -> Publish {
    Publish {
        audience,
        event_type: name.parse().unwrap(),
        data: RawValue::from_string(data.to_owned()).unwrap(),
        id: None,
    }
}
