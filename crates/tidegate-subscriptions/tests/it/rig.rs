//! Subscriptions over real files, with a clock, rights and webhooks that the test decides about.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_db::{Db, DbOptions};
use tidegate_log::{Append, Log, LogOptions, NewStream, ReadBound, SqliteLogStore};
use tidegate_subscriptions::{
    Ack, AckError, Acked, Claimed, Deliver, DeliverError, Holding, NewSubscription, NewTarget, Owner, Reach,
    SqliteSubscriptions, SubscriptionUid, Subscriptions, SubscriptionsParts, View, ViewedStream,
    WebhookAnswer, WebhookCall, WebhookPolicy,
};
use tidegate_types::{Clock, ErrorCode, Limits, OsEntropy, ReadFrom, StreamPath, Timestamp};
use zeroize::Zeroizing;

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

/// Rights that a test takes away.
#[derive(Default)]
pub(crate) struct Rights {
    pub(crate) unreadable: Mutex<HashSet<StreamPath>>,
    pub(crate) owner_is_gone: AtomicBool,
}

#[async_trait]
impl Reach for Rights {
    async fn readable(&self, _: &Owner, paths: &[StreamPath]) -> Result<Vec<bool>, ErrorCode> {
        let gone = self.owner_is_gone.load(Ordering::SeqCst);
        let unreadable = self.unreadable.lock().unwrap();
        Ok(paths.iter().map(|path| !gone && !unreadable.contains(path)).collect())
    }

    async fn may_append(&self, _: &Owner, _: &StreamPath) -> Result<bool, ErrorCode> {
        Ok(!self.owner_is_gone.load(Ordering::SeqCst))
    }
}

/// A webhook that answers as it is told, then 200 without a word.
#[derive(Default)]
pub(crate) struct Hook {
    pub(crate) answers: Mutex<VecDeque<Result<WebhookAnswer, DeliverError>>>,
    pub(crate) calls: Mutex<Vec<WebhookCall>>,
    pub(crate) hangs: AtomicBool,
}

impl Hook {
    pub(crate) fn will_answer(&self, status: u16, body: &Value) {
        let answer = WebhookAnswer { status, body: body.to_string().into_bytes() };
        self.answers.lock().unwrap().push_back(Ok(answer));
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.calls.lock().unwrap().iter().map(|call| serde_json::from_slice(&call.body).unwrap()).collect()
    }
}

#[async_trait]
impl Deliver for Hook {
    async fn deliver(&self, call: WebhookCall) -> Result<WebhookAnswer, DeliverError> {
        self.calls.lock().unwrap().push(call);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let next = self.answers.lock().unwrap().pop_front();
        next.unwrap_or(Ok(WebhookAnswer { status: 200, body: Vec::new() }))
    }
}

pub(crate) struct Rig {
    pub(crate) subs: Subscriptions,
    pub(crate) log: Log,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) rights: Arc<Rights>,
    pub(crate) hook: Arc<Hook>,
    limits: Arc<Limits>,
    db: Db,
    folder: tempfile::TempDir,
}

pub(crate) const SECRET: [u8; 32] = [7; 32];

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("tidegate.db"), &DbOptions::default()).await.unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(1_767_225_600_000)));
        Self::over(folder, db, clock, Arc::new(limits), SECRET).await
    }

    /// A process that died and came back: everything in memory is new.
    pub(crate) async fn restart(self, secret: [u8; 32]) -> Self {
        let Self { folder, db, clock, limits, .. } = self;
        Self::over(folder, db, clock, limits, secret).await
    }

    async fn over(
        folder: tempfile::TempDir,
        db: Db,
        clock: Arc<ManualClock>,
        limits: Arc<Limits>,
        secret: [u8; 32],
    ) -> Self {
        let store = Arc::new(SqliteLogStore::open(db.clone()).await.unwrap());
        let log = Log::open(store, LogOptions::default(), Arc::clone(&clock) as _).await.unwrap();
        let (rights, hook) = (Arc::new(Rights::default()), Arc::new(Hook::default()));
        let parts = SubscriptionsParts {
            store: Arc::new(SqliteSubscriptions::open(db.clone()).await.unwrap()),
            log: log.clone(),
            deliver: Arc::clone(&hook) as _,
            webhooks: WebhookPolicy { enabled: true, allow_loopback: false },
            secret: Zeroizing::new(secret),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(OsEntropy),
            limits: Arc::clone(&limits),
        };
        let subs = Subscriptions::open(parts).await.unwrap();
        subs.bind(Arc::clone(&rights) as _);
        Self { subs, log, clock, rights, hook, limits, db, folder }
    }

    /// Appends one record, to a stream that is made if need be.
    pub(crate) async fn append(&self, at: &str) {
        if self.log.lookup(&path(at)).await.unwrap().is_none() {
            self.log.create(&path(at), NewStream::json()).await.unwrap();
        }
        self.log.append(&path(at), Append::one(r#"{"n":1}"#)).await.unwrap();
        // An append is answered before its hint is given; the writer does one thing after the other.
        self.db.write(|_| Ok::<_, tidegate_db::DbError>(())).await.unwrap();
    }

    /// Background work until nothing is due.
    pub(crate) async fn settle(&self) {
        for _ in 0..50 {
            let now = self.clock.now();
            if self.subs.step(now).await.unwrap() > now {
                return;
            }
        }
        panic!("background work never came to rest");
    }

    /// Calls webhooks until none is due.
    pub(crate) async fn deliver(&self) {
        self.settle().await;
        for _ in 0..50 {
            let now = self.clock.now();
            if self.subs.deliver(now).await.unwrap() > now {
                return;
            }
            self.settle().await;
        }
        panic!("there was always one more call");
    }

    /// The records of a stream.
    pub(crate) async fn records(&self, at: &str) -> Vec<Value> {
        let bound = ReadBound { records: 1_000, bytes: 1_000_000 };
        let page = self.log.read(&path(at), ReadFrom::Start, bound).await.unwrap();
        page.records.iter().map(|record| serde_json::from_slice(&record.data).unwrap()).collect()
    }

    /// A subscription to a pattern whose wakes are told in `wake/pool`.
    pub(crate) async fn pull(&self, pattern: &str) -> View {
        if self.log.lookup(&path("wake/pool")).await.unwrap().is_none() {
            self.log.create(&path("wake/pool"), NewStream::json()).await.unwrap();
        }
        let target = NewTarget::PullWake(path("wake/pool"));
        self.subs.create(new("pull", target, Some(pattern))).await.unwrap().view
    }

    /// A subscription to a pattern that calls a webhook.
    pub(crate) async fn webhook(&self, pattern: &str) -> View {
        let target = NewTarget::Webhook("https://hooks.example.com/wake".to_owned());
        self.subs.create(new("hook", target, Some(pattern))).await.unwrap().view
    }

    pub(crate) async fn view(&self, id: &str) -> View {
        let found = self.subs.find_by_id(&id.parse().unwrap()).await.unwrap().unwrap();
        self.subs.view(found).await.unwrap()
    }

    pub(crate) async fn stream(&self, id: &str, at: &str) -> ViewedStream {
        let view = self.view(id).await;
        view.streams.into_iter().find(|stream| stream.path == path(at)).unwrap()
    }

    /// What a worker says of a wake that it claimed.
    pub(crate) async fn ack(
        &self,
        claimed: &Claimed,
        acks: &[(&str, u64)],
        done: bool,
    ) -> Result<Acked, AckError> {
        let acks = acks.iter().map(|(at, offset)| (path(at), tidegate_types::Offset::new(*offset).unwrap()));
        let ack = Ack {
            token: claimed.token.reveal(),
            wake: &claimed.wake,
            generation: claimed.generation,
            acks: acks.collect(),
            done,
        };
        self.subs.ack(&"pull".parse().unwrap(), Holding::Worker, ack).await
    }

    /// What a webhook says of a wake that it was called for.
    pub(crate) async fn call_back(&self, body: &Value, done: bool) -> Result<Acked, AckError> {
        let ack = Ack {
            token: body["callback_token"].as_str().unwrap(),
            wake: body["wake_id"].as_str().unwrap(),
            generation: body["generation"].as_u64().unwrap(),
            acks: Vec::new(),
            done,
        };
        self.subs.ack(&"hook".parse().unwrap(), Holding::Webhook, ack).await
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) fn new(id: &str, target: NewTarget, pattern: Option<&str>) -> NewSubscription {
    NewSubscription {
        id: id.parse().unwrap(),
        owner: Owner::new("key:1"),
        target,
        pattern: pattern.map(|text| text.parse().unwrap()),
        streams: Vec::new(),
        lease: Some(Duration::from_secs(30)),
        description: None,
        origin: "https://tide.example.org".to_owned(),
    }
}

pub(crate) fn path(text: &str) -> StreamPath {
    text.parse().unwrap()
}

pub(crate) fn done() -> Value {
    json!({ "done": true })
}

pub(crate) const PULL: fn(&View) -> SubscriptionUid = |view| view.subscription.uid;
