//! The tables of this crate in the embedded database.

mod change;
mod passages;
mod read;
mod removals;
mod search;

use std::ops::Range;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _};
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::{DocumentId, Timestamp, UserId};

use crate::search::{Hit, Search, SearchQuery};
use crate::store::{Attempt, DocumentStore, Finish, ListQuery, Removal, Report, Room};
use crate::{Document, NewPassage, Passage, SearchError};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The store of documents in SQLite, with its index.
#[derive(Clone, Debug)]
pub struct SqliteDocuments {
    db: Db,
    search_words: usize,
}

impl SqliteDocuments {
    /// Brings the tables up to date. Of a search's words the first `search_words` count.
    ///
    /// # Errors
    /// A migration fails.
    pub async fn open(db: Db, search_words: u64) -> Result<Self, OpenError> {
        db.migrate("documents", embedded::migrations::runner()).await?;
        Ok(Self { db, search_words: usize::try_from(search_words).unwrap_or(usize::MAX) })
    }
}

#[async_trait]
impl Search for SqliteDocuments {
    async fn search(&self, query: SearchQuery) -> Result<Vec<Hit>, SearchError> {
        let Some(wanted) = search::Wanted::of(&query, self.search_words) else { return Ok(Vec::new()) };
        Ok(self.db.read(move |conn| search::search(conn, &wanted)).await?)
    }
}

#[async_trait]
impl DocumentStore for SqliteDocuments {
    async fn lookup(&self, id: DocumentId) -> Result<Option<Document>, DbError> {
        self.db.read(move |conn| read::lookup(conn, id)).await
    }

    async fn list(&self, query: ListQuery) -> Result<Vec<(i64, Document)>, DbError> {
        self.db.read(move |conn| read::list(conn, &query)).await
    }

    async fn insert(&self, document: Document, room: Room) -> Result<bool, DbError> {
        self.db.write(move |tx| change::insert(tx, &document, room)).await
    }

    async fn has_room(&self, owner: UserId, bytes: u64, room: Room) -> Result<bool, DbError> {
        self.db.read(move |conn| change::has_room(conn, owner, bytes, room)).await
    }

    async fn list_unfinished(&self, limit: usize) -> Result<Vec<DocumentId>, DbError> {
        self.db.read(move |conn| read::list_unfinished(conn, limit)).await
    }

    async fn begin(&self, id: DocumentId, now: Timestamp) -> Result<Option<Attempt>, DbError> {
        self.db.write(move |tx| change::begin(tx, id, now)).await
    }

    async fn report(&self, id: DocumentId, report: Report, now: Timestamp) -> Result<bool, DbError> {
        self.db.write(move |tx| change::report(tx, id, &report, now)).await
    }

    async fn insert_passages(
        &self,
        id: DocumentId,
        passages: Vec<NewPassage>,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        self.db.write(move |tx| passages::insert(tx, id, &passages, now)).await
    }

    async fn finish(
        &self,
        id: DocumentId,
        finish: Finish,
        now: Timestamp,
    ) -> Result<Option<Document>, DbError> {
        self.db.write(move |tx| change::finish(tx, id, &finish, now)).await
    }

    async fn list_untold(&self, limit: usize) -> Result<Vec<Document>, DbError> {
        self.db.read(move |conn| read::list_untold(conn, limit)).await
    }

    async fn mark_told(&self, id: DocumentId) -> Result<(), DbError> {
        self.db
            .write(move |tx| {
                tx.prepare_cached("UPDATE documents SET told = 1 WHERE id = ?1")?
                    .execute([id.to_string()])?;
                Ok(())
            })
            .await
    }

    async fn remove(&self, id: DocumentId) -> Result<bool, DbError> {
        self.db.write(move |tx| removals::remove(tx, id)).await
    }

    async fn list_removals(&self, limit: usize) -> Result<Vec<Removal>, DbError> {
        self.db.read(move |conn| removals::list(conn, limit)).await
    }

    async fn purge_passages(&self, number: i64, limit: usize) -> Result<bool, DbError> {
        self.db.write(move |tx| passages::purge(tx, number, limit)).await
    }

    async fn forget_removal(&self, number: i64) -> Result<(), DbError> {
        self.db
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM document_removals WHERE document = ?1")?.execute([number])?;
                Ok(())
            })
            .await
    }

    async fn passages(&self, id: DocumentId, ordinals: Range<u32>) -> Result<Vec<Passage>, DbError> {
        self.db.read(move |conn| passages::list(conn, id, &ordinals)).await
    }

    async fn text(&self, id: DocumentId) -> Result<Option<String>, DbError> {
        self.db.read(move |conn| passages::text(conn, id)).await
    }
}

fn number_of(conn: &Connection, id: DocumentId) -> Result<Option<i64>, DbError> {
    Ok(conn
        .prepare_cached("SELECT seq FROM documents WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn corrupt(what: &str) -> DbError {
    DbError::Bug(format!("a stored {what} cannot be read"))
}
