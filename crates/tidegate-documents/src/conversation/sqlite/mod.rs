//! The tables of conversations in the embedded database.

mod read;
mod write;

use async_trait::async_trait;
use tidegate_db::{Db, DbError};
use tidegate_types::{ConversationId, DocumentId, UserId};

use super::model::Conversation;
use super::store::{ConversationStore, EndTurn, Inserted, NewTurn, Numbered, TurnRow};

/// The store of conversations in SQLite. Its tables come with those of [`crate::SqliteDocuments`],
/// which has to be opened first.
#[derive(Clone, Debug)]
pub struct SqliteConversations {
    db: Db,
}

impl SqliteConversations {
    /// A store over a database whose tables are up to date.
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl ConversationStore for SqliteConversations {
    async fn insert(&self, conversation: Conversation, most: u64) -> Result<Inserted, DbError> {
        self.db.write(move |tx| write::insert(tx, &conversation, most)).await
    }

    async fn lookup(&self, id: ConversationId) -> Result<Option<Conversation>, DbError> {
        self.db.read(move |conn| read::lookup(conn, id)).await
    }

    async fn find_chat(&self, owner: UserId, of: DocumentId) -> Result<Option<Conversation>, DbError> {
        self.db.read(move |conn| read::find_chat(conn, owner, of)).await
    }

    async fn list(
        &self,
        owner: UserId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Conversation)>, DbError> {
        self.db.read(move |conn| read::list(conn, owner, before, limit)).await
    }

    async fn mark_deleting(&self, id: ConversationId) -> Result<Option<u32>, DbError> {
        self.db.write(move |tx| write::mark_deleting(tx, id)).await
    }

    async fn list_deleting(&self, limit: usize) -> Result<Vec<(ConversationId, u32)>, DbError> {
        self.db.read(move |conn| read::list_deleting(conn, limit)).await
    }

    async fn remove(&self, id: ConversationId) -> Result<(), DbError> {
        self.db
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM conversations WHERE id = ?1 AND deleting = 1")?
                    .execute([id.to_string()])?;
                Ok(())
            })
            .await
    }

    async fn insert_turn(&self, turn: NewTurn) -> Result<Numbered, DbError> {
        self.db.write(move |tx| write::insert_turn(tx, &turn)).await
    }

    async fn lookup_turn(&self, id: ConversationId, number: u32) -> Result<Option<TurnRow>, DbError> {
        self.db.read(move |conn| read::lookup_turn(conn, id, number)).await
    }

    async fn list_turns(
        &self,
        id: ConversationId,
        after: u32,
        limit: usize,
    ) -> Result<Vec<TurnRow>, DbError> {
        self.db.read(move |conn| read::list_turns(conn, id, after, limit)).await
    }

    async fn end_turn(&self, end: EndTurn) -> Result<(), DbError> {
        self.db.write(move |tx| write::end_turn(tx, &end)).await
    }

    async fn remove_turn(&self, id: ConversationId, number: u32) -> Result<(), DbError> {
        self.db.write(move |tx| write::remove_turn(tx, id, number)).await
    }

    async fn list_open(&self, limit: usize) -> Result<Vec<(ConversationId, u32)>, DbError> {
        self.db.read(move |conn| read::list_open(conn, limit)).await
    }
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn corrupt(what: &str) -> DbError {
    DbError::Bug(format!("a stored {what} cannot be read"))
}
