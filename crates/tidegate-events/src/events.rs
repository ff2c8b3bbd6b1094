//! The handle on domain events.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tidegate_db::KeyedLocks;
use tidegate_log::{Log, StreamInfo};
use tidegate_types::{Clock, Entropy, Limits, StreamPath, Timestamp, UserId};
use tokio::sync::Notify;

use crate::catalogue::Catalogue;
use crate::{
    CatalogueType, EventsError, EventsStore, NewType, Operation, RegisterError, UserDirectory, feed,
};

/// What events are made of; the binary wires it.
pub struct EventsParts {
    /// The tables.
    pub store: Arc<dyn EventsStore>,
    /// The streams.
    pub log: Log,
    /// The users.
    pub users: Arc<dyn UserDirectory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids of broadcasts.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// How long publishers' own ids and finished broadcasts are remembered (that of feeds).
    pub retention: Duration,
}

/// Domain events. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: EventsParts,
    pub(crate) catalogue: Catalogue,
    pub(crate) work: Notify,
    /// One publication of one id to one user at a time.
    pub(crate) ids: KeyedLocks<(UserId, String)>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    /// Opens the events: reads the catalogue.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn open(parts: EventsParts) -> Result<Self, EventsError> {
        let catalogue = Catalogue::new(parts.store.list_types().await?);
        let inner = Inner { parts, catalogue, work: Notify::new(), ids: KeyedLocks::default() };
        // A broadcast may have been under way when the server stopped.
        inner.work.notify_one();
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the feed of a user lives: `users/{id}/events`.
    #[must_use]
    pub fn feed_path(user: UserId) -> StreamPath {
        StreamPath::of_feed(user)
    }

    /// The feed of a user, made if it is not there yet.
    ///
    /// # Errors
    /// The stream cannot be read or made.
    pub async fn ensure_feed(&self, user: UserId) -> Result<StreamInfo, EventsError> {
        feed::ensure(&self.inner.parts.log, user).await
    }

    /// A broadcast by its id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn lookup_operation(&self, id: &str) -> Result<Option<Operation>, EventsError> {
        Ok(self.inner.parts.store.lookup_operation(id).await?)
    }

    /// All types: the server's own first, then the registered ones by name.
    #[must_use]
    pub fn list_types(&self) -> Vec<CatalogueType> {
        self.inner.catalogue.list()
    }

    /// Registers a type, or changes it; data published from now on must match its schema.
    ///
    /// # Errors
    /// The name is one of the server's own, the schema is not accepted, or the catalogue is full.
    pub async fn register_type(&self, new: NewType) -> Result<CatalogueType, RegisterError> {
        let parts = &self.inner.parts;
        let compiled = Catalogue::accept(&new)?;
        let limit = parts.limits.catalogue_types;
        let stored = parts.store.put_type(&new, limit, parts.clock.now()).await?;
        let stored = stored.ok_or(RegisterError::Full(limit))?;
        self.inner.catalogue.put(stored.clone(), compiled);
        Ok(stored)
    }

    /// Works through what waits, a bounded piece of it: broadcasts, and old ids to forget.
    /// Answers when to call again; [`Events::woken`] tells of work before that.
    ///
    /// # Errors
    /// The database or a stream cannot be written; nothing is lost, call again later.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, EventsError> {
        let more = self.step_broadcast(now).await?;
        let parts = &self.inner.parts;
        let old = now.minus(parts.retention);
        let forgotten = parts.store.forget_ids(old, FORGET_MAX).await?
            + parts.store.forget_operations(old, FORGET_MAX).await?;
        Ok(if more {
            now
        } else if forgotten > 0 {
            now.plus(Duration::from_secs(1))
        } else {
            now.plus(IDLE)
        })
    }

    /// Returns when there is new work for [`Events::step`].
    pub async fn woken(&self) {
        self.inner.work.notified().await;
    }
}

const FORGET_MAX: usize = 500;
const IDLE: Duration = Duration::from_secs(60);
