//! What events need of a database: the catalogue, the ids given by publishers, broadcasts.

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{Offset, Timestamp, UserId};

use crate::{CatalogueType, EventType, NewType, Operation};

/// What is known of an event id of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody had used it; it is now noted, and the append may begin.
    Fresh,
    /// Somebody began: the record, if it was written at all, lies after this offset.
    Begun {
        /// The tail of the feed when the id was noted.
        after: Offset,
    },
    /// The record was written, at this offset.
    Written(Offset),
}

/// A broadcast to be noted.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Its id, made by the caller.
    pub id: String,
    /// The event's type.
    pub event_type: EventType,
    /// The event's data, as JSON text.
    pub data: String,
    /// The publisher's own id of the event.
    pub event_id: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// The tables of this crate.
#[async_trait]
pub trait EventsStore: Send + Sync {
    /// All registered types, in the order of their names.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_types(&self) -> Result<Vec<CatalogueType>, DbError>;

    /// Registers a type or changes it. `None` when it is new and `limit` types are there already.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn put_type(
        &self,
        new: &NewType,
        limit: u64,
        now: Timestamp,
    ) -> Result<Option<CatalogueType>, DbError>;

    /// Notes an event id of a user, or says what is known of it.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn claim_id(
        &self,
        user: UserId,
        id: &str,
        after: Offset,
        now: Timestamp,
    ) -> Result<Claimed, DbError>;

    /// Notes where the record of an event id lies.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn settle_id(&self, user: UserId, id: &str, offset: Offset) -> Result<(), DbError>;

    /// Forgets at most `limit` event ids noted before this time; answers how many.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn forget_ids(&self, before: Timestamp, limit: usize) -> Result<usize, DbError>;

    /// Notes a broadcast. With an event id that an earlier one has, answers that one.
    /// `None` when `running_max` are under way already.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn insert_operation(
        &self,
        new: &NewOperation,
        running_max: usize,
    ) -> Result<Option<String>, DbError>;

    /// A broadcast by its id.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn lookup_operation(&self, id: &str) -> Result<Option<Operation>, DbError>;

    /// The oldest broadcast that is under way.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn find_running_operation(&self) -> Result<Option<Operation>, DbError>;

    /// Moves a broadcast on: `sent` more users up to `cursor`; `finished_at` ends it.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn advance_operation(
        &self,
        id: &str,
        cursor: Option<UserId>,
        sent: u64,
        finished_at: Option<Timestamp>,
    ) -> Result<(), DbError>;

    /// Forgets at most `limit` broadcasts that ended before this time; answers how many.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn forget_operations(&self, before: Timestamp, limit: usize) -> Result<usize, DbError>;
}
