//! What subscriptions need of a database.

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{StreamPath, StreamPattern, Timestamp};

use crate::{Link, Owner, Subscription, SubscriptionId, SubscriptionUid};

/// A subscription to be written, with its first streams.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// All of it; number and version are the store's to give.
    pub subscription: Subscription,
    /// Its streams.
    pub links: Vec<Link>,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Of one owner.
    pub of_owner: u64,
    /// Altogether.
    pub of_node: u64,
}

/// What became of a new subscription.
#[derive(Clone, Debug)]
pub enum Inserted {
    /// It was written.
    New(Subscription),
    /// The id is taken, by this one.
    Known(Subscription),
    /// The owner has too many.
    OwnerFull,
    /// There are too many.
    NodeFull,
}

/// Who is concerned by streams that moved.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Who has one of the streams, and whether no wake is under way there.
    pub linked: Vec<(SubscriptionUid, StreamPath, bool)>,
    /// All patterns.
    pub patterns: Vec<(SubscriptionUid, StreamPattern)>,
    /// Those of the streams that tell of wakes.
    pub wake_streams: Vec<StreamPath>,
}

/// A key that webhooks are signed with.
#[derive(Clone, Debug)]
pub struct SigningRow {
    /// Its name.
    pub kid: String,
    /// Its public half.
    pub public: [u8; 32],
    /// Its private half, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The tables of this crate.
#[async_trait]
pub trait SubscriptionsStore: Send + Sync {
    /// Writes a new subscription, if its id is free and there is room.
    async fn insert(&self, new: NewRow, bounds: Bounds) -> Result<Inserted, DbError>;

    /// The subscription of this id.
    async fn find_by_id(&self, id: &SubscriptionId) -> Result<Option<Subscription>, DbError>;

    /// The subscription of this number.
    async fn lookup(&self, uid: SubscriptionUid) -> Result<Option<Subscription>, DbError>;

    /// Subscriptions by number, after one: of one owner, or all.
    async fn list(
        &self,
        owner: Option<&Owner>,
        after: Option<SubscriptionUid>,
        limit: usize,
    ) -> Result<Vec<Subscription>, DbError>;

    /// Deletes it with its streams; answers whether it was there.
    async fn delete(&self, uid: SubscriptionUid) -> Result<bool, DbError>;

    /// Its streams by path. Streams that tell of wakes are left out.
    async fn list_links(&self, uid: SubscriptionUid) -> Result<Vec<Link>, DbError>;

    /// Adds streams, or adds to why it has them. `false`, and nothing written, when it would have more than `limit`.
    async fn add_links(&self, uid: SubscriptionUid, links: Vec<Link>, limit: u64) -> Result<bool, DbError>;

    /// Takes back that a stream was named.
    async fn remove_named(&self, uid: SubscriptionUid, path: &StreamPath) -> Result<(), DbError>;

    /// Writes what changed: where the subscription stands, and these of its streams; those `gone`
    /// are removed. `false`, and nothing written, when the version is not the stored one.
    async fn save(
        &self,
        subscription: &Subscription,
        links: Vec<Link>,
        gone: Vec<StreamPath>,
    ) -> Result<bool, DbError>;

    /// Who is concerned by streams that moved.
    async fn find_touched(&self, paths: Vec<StreamPath>) -> Result<Touched, DbError>;

    /// Whether one of these streams tells of wakes.
    async fn has_wake_stream(&self, paths: Vec<StreamPath>) -> Result<bool, DbError>;

    /// Subscriptions whose lease has run out, or whose wake is to be recorded, the most overdue
    /// first; and when the next one is due after `now`.
    async fn list_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Vec<SubscriptionUid>, Option<Timestamp>), DbError>;

    /// Takes one webhook that is due: counts the attempt, and sets the next one to `again`, so that
    /// a call which dies with this process is made once more.
    async fn take_delivery(&self, now: Timestamp, again: Timestamp) -> Result<Option<Subscription>, DbError>;

    /// The keys, the newest first.
    async fn list_keys(&self) -> Result<Vec<SigningRow>, DbError>;

    /// Adds a key, and forgets those made before a time.
    async fn insert_key(&self, key: SigningRow, forget_before: Timestamp) -> Result<(), DbError>;
}
