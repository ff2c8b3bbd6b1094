//! The handle on domain events.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tidegate_types::{Clock, Entropy, ErrorCode, Limits, Offset, StreamPath, Timestamp, UserId};

use crate::{
    CatalogueType, EventsError, EventsStore, NewType, Operation, OwnEvent, Publish, PublishError, Published,
    RegisterError, UserDirectory,
};

/// What events are made of; the binary wires it.
pub struct EventsParts {
    /// The tables.
    pub store: Arc<dyn EventsStore>,
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
    inner: Arc<EventsParts>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

fn later<T>() -> Result<T, EventsError> {
    Err(EventsError::Stream { code: ErrorCode::NotImplemented, detail: "not there yet".to_owned() })
}

impl Events {
    /// Opens the events: reads the catalogue.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn open(parts: EventsParts) -> Result<Self, EventsError> {
        Ok(Self { inner: Arc::new(parts) })
    }

    /// Where the feed of a user lives: `users/{id}/events`.
    #[must_use]
    pub fn feed_path(user: UserId) -> StreamPath {
        StreamPath::of_feed(user)
    }

    /// Publishes an event.
    ///
    /// # Errors
    /// Nobody or too many are named, a user is unknown, or the data does not match its schema.
    pub async fn publish(&self, _publish: Publish) -> Result<Published, PublishError> {
        let _ = &self.inner;
        Ok(later()?)
    }

    /// Publishes one of the server's own events to a user. With an id, the same one given
    /// again is not published again.
    ///
    /// # Errors
    /// The feed cannot be written.
    pub async fn publish_own(
        &self,
        _user: UserId,
        _event: OwnEvent,
        _data: &Value,
        _id: Option<&str>,
    ) -> Result<Offset, EventsError> {
        later()
    }

    /// A broadcast by its id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn lookup_operation(&self, _id: &str) -> Result<Option<Operation>, EventsError> {
        later()
    }

    /// All types: the server's own first, then the registered ones by name.
    #[must_use]
    pub fn list_types(&self) -> Vec<CatalogueType> {
        Vec::new()
    }

    /// Registers a type, or changes it; data published from now on must match its schema.
    ///
    /// # Errors
    /// The name is one of the server's own, the schema is not accepted, or the catalogue is full.
    pub async fn register_type(&self, _new: NewType) -> Result<CatalogueType, RegisterError> {
        Ok(later()?)
    }

    /// Works through what waits, a bounded piece of it. Answers when to call again.
    ///
    /// # Errors
    /// The database or a stream cannot be written; nothing is lost, call again later.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, EventsError> {
        Ok(now.plus(Duration::from_secs(1)))
    }

    /// Returns when there is new work for [`Events::step`].
    pub async fn woken(&self) {
        std::future::pending::<()>().await;
    }
}
