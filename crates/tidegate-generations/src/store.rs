//! What generations need of a database: rows that follow the streams, leases, what is to be told.

use std::time::Duration;

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{GenerationId, KeyId, Offset, Timestamp, UserId};

use crate::{Announcement, Filter, Projection};

/// A worker's hold on a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What its secret hashes to.
    pub digest: [u8; 32],
    /// The key that the worker came with.
    pub key_id: KeyId,
    /// How long it lasts without a word.
    pub lasts: Duration,
    /// When it runs out; `None` once the worker ended the generation with it.
    pub expires_at: Option<Timestamp>,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What the records add up to.
    pub state: Projection,
    /// The hold of the worker that has it, or that ended it.
    pub lease: Option<Lease>,
}

/// A row to write.
#[derive(Clone, Debug)]
pub struct Save {
    /// The row; one that is there already and reflects more records stands.
    pub row: Row,
    /// What to tell the owner, kept in the same commit.
    pub announcements: Vec<Announcement>,
}

/// A generation that waits for a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimable {
    /// Its place in the order of creation.
    pub seq: i64,
    /// Its id.
    pub id: GenerationId,
}

/// Which generations wait for this worker.
#[derive(Clone, Debug, Default)]
pub struct ClaimableQuery {
    /// Of these frameworks; empty for all.
    pub frameworks: Vec<String>,
    /// Only of this owner.
    pub owner: Option<UserId>,
    /// Only this one.
    pub id: Option<GenerationId>,
    /// Created after this place.
    pub after: i64,
    /// At most so many.
    pub limit: usize,
}

/// Which generations a list shows.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Whose.
    pub owner: UserId,
    /// Which of them.
    pub filter: Filter,
    /// Created before this place.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// The tables of this crate.
#[async_trait]
pub trait GenerationStore: Send + Sync {
    /// A row by its id.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn lookup(&self, id: &GenerationId) -> Result<Option<Row>, DbError>;

    /// Writes a row.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn save(&self, save: Save) -> Result<(), DbError>;

    /// Removes a row; answers whether it was there.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn remove(&self, id: &GenerationId) -> Result<bool, DbError>;

    /// Rows with their places, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list(&self, query: ListQuery) -> Result<Vec<(i64, Row)>, DbError>;

    /// Those that wait, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_claimable(&self, query: ClaimableQuery) -> Result<Vec<Claimable>, DbError>;

    /// The place of one that waits among those of its framework, from 1.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn queue_place(&self, id: &GenerationId) -> Result<Option<u64>, DbError>;

    /// Ids and positions of the rows after one id and up to another, in the order of the ids.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_positions(
        &self,
        after: Option<&GenerationId>,
        up_to: Option<&GenerationId>,
    ) -> Result<Vec<(GenerationId, Offset)>, DbError>;

    /// Those whose lease ran out by this time.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_lapsed(&self, now: Timestamp, limit: usize) -> Result<Vec<GenerationId>, DbError>;

    /// Gives every live lease its whole length from this time on, if that is later.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn extend_leases(&self, now: Timestamp) -> Result<usize, DbError>;

    /// Those that ended before this time.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_finished(&self, before: Timestamp, limit: usize) -> Result<Vec<GenerationId>, DbError>;

    /// What is still to be told, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_announcements(&self, limit: usize) -> Result<Vec<(i64, Announcement)>, DbError>;

    /// Forgets what was told, up to this place.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn forget_announcements(&self, up_to: i64) -> Result<(), DbError>;
}
