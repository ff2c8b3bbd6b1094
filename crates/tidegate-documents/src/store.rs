//! What documents need of a database: records, passages, what is still to be told or removed.

use std::ops::Range;

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{DocumentId, Timestamp, UserId};

use crate::{Document, Failure, NewPassage, Passage, Stage};

/// How much one owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Documents.
    pub documents: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Which documents a list shows.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Whose.
    pub owner: UserId,
    /// Uploaded before this place.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// How far an extraction is.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What is being done.
    pub stage: Stage,
    /// How far, 0 to 1.
    pub progress: f64,
    /// A sentence for people.
    pub message: String,
    /// Pages, once they are counted.
    pub pages: Option<u32>,
}

/// How an extraction ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    /// Every passage is stored.
    Ready,
    /// It came to nothing; passages of it are removed.
    Failed(Failure),
}

/// An extraction that may begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The record, with this attempt counted.
    pub document: Document,
}

/// A deleted document that has left something behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its id: names its file and its stream.
    pub id: DocumentId,
    /// Its number, for [`DocumentStore::purge_passages`].
    pub number: i64,
}

/// The tables of this crate.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// A record by its id.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn lookup(&self, id: DocumentId) -> Result<Option<Document>, DbError>;

    /// Records with their places, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list(&self, query: ListQuery) -> Result<Vec<(i64, Document)>, DbError>;

    /// Stores a new record if its owner has room for it; answers whether.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn insert(&self, document: Document, room: Room) -> Result<bool, DbError>;

    /// Whether its owner has room for a document of so many bytes.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn has_room(&self, owner: UserId, bytes: u64, room: Room) -> Result<bool, DbError>;

    /// Documents that are still to be processed, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_unfinished(&self, limit: usize) -> Result<Vec<DocumentId>, DbError>;

    /// Counts an attempt and removes the passages of earlier ones. `None`: it is finished or gone.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn begin(&self, id: DocumentId, now: Timestamp) -> Result<Option<Attempt>, DbError>;

    /// Stores how far it is. Answers whether it is still being processed.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn report(&self, id: DocumentId, report: Report, now: Timestamp) -> Result<bool, DbError>;

    /// Stores passages and their places in the index, in one commit. Answers whether the document
    /// is still being processed; if not, nothing was stored.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn insert_passages(
        &self,
        id: DocumentId,
        passages: Vec<NewPassage>,
        now: Timestamp,
    ) -> Result<bool, DbError>;

    /// Ends the processing. `None`: it has ended before, or is gone.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn finish(
        &self,
        id: DocumentId,
        finish: Finish,
        now: Timestamp,
    ) -> Result<Option<Document>, DbError>;

    /// Finished documents whose stream and owner have not been told, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_untold(&self, limit: usize) -> Result<Vec<Document>, DbError>;

    /// Notes that stream and owner have been told.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn mark_told(&self, id: DocumentId) -> Result<(), DbError>;

    /// Removes a record; what hangs on it follows by [`DocumentStore::list_removals`]. Answers
    /// whether it was there.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn remove(&self, id: DocumentId) -> Result<bool, DbError>;

    /// Deleted documents that have left something behind.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_removals(&self, limit: usize) -> Result<Vec<Removal>, DbError>;

    /// Removes some passages of a deleted document; answers whether none is left.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn purge_passages(&self, number: i64, limit: usize) -> Result<bool, DbError>;

    /// Forgets a deleted document for good.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn forget_removal(&self, number: i64) -> Result<(), DbError>;

    /// The passages of a document with these numbers, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn passages(&self, id: DocumentId, ordinals: Range<u32>) -> Result<Vec<Passage>, DbError>;

    /// The whole text of a document.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn text(&self, id: DocumentId) -> Result<Option<String>, DbError>;
}
