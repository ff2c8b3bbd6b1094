//! What conversations need of a database.

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::{ConversationId, DocumentId, Offset, Timestamp, UserId};

use super::model::{Conversation, Ending, TurnStatus};
use crate::answer::Citation;

/// A turn to be made; the store numbers it.
#[derive(Clone, Debug)]
pub struct NewTurn {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The turn that it follows. `None`: the newest, if there is one.
    pub parent: Parent,
    /// The turn whose question is asked again.
    pub sibling_of: Option<u32>,
    /// Who answers.
    pub answerer: String,
    /// What is asked.
    pub message: String,
    /// When.
    pub now: Timestamp,
    /// Turns that the conversation may have.
    pub most: u64,
}

/// What a new turn follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The newest turn, if there is one.
    Newest,
    /// This one, or nothing.
    Of(Option<u32>),
}

/// A turn's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its number, from 1.
    pub number: u32,
    /// The turn that it follows.
    pub parent: Option<u32>,
    /// The turn whose question is asked again.
    pub sibling_of: Option<u32>,
    /// Who answers.
    pub answerer: String,
    /// What was asked.
    pub message: String,
    /// How it ended; `None` while it is open.
    pub status: Option<TurnStatus>,
    /// The answer, once it has ended.
    pub answer: String,
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// The end of its stream.
    pub offset: Offset,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The end of a turn.
#[derive(Clone, Debug)]
pub struct EndTurn {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its number.
    pub number: u32,
    /// How it ended.
    pub status: TurnStatus,
    /// The whole text.
    pub answer: String,
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// Length, hash, usage, failure.
    pub ending: Ending,
    /// The end of its stream.
    pub offset: Offset,
    /// When.
    pub now: Timestamp,
}

/// What became of a new conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is there.
    New,
    /// The document's own chat was there before.
    Existing(ConversationId),
    /// The owner has too many.
    TooMany,
}

/// What became of a new turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// It is there.
    Turn(Box<TurnRow>),
    /// No such conversation.
    NoConversation,
    /// No such turn to follow.
    NoParent,
    /// The conversation has too many.
    TooMany,
}

/// The tables of conversations. What is being deleted is not found.
#[async_trait]
pub trait ConversationStore: Send + Sync {
    /// Makes a conversation, if its owner has fewer than `most`.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn insert(&self, conversation: Conversation, most: u64) -> Result<Inserted, DbError>;

    /// A conversation by its id.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn lookup(&self, id: ConversationId) -> Result<Option<Conversation>, DbError>;

    /// The conversation of a document's own chat.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn find_chat(&self, owner: UserId, of: DocumentId) -> Result<Option<Conversation>, DbError>;

    /// An owner's conversations with their places, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list(
        &self,
        owner: UserId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Conversation)>, DbError>;

    /// Marks a conversation as being deleted; answers how many turns it has, if it was there.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn mark_deleting(&self, id: ConversationId) -> Result<Option<u32>, DbError>;

    /// Conversations whose deletion was begun, with their numbers of turns.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_deleting(&self, limit: usize) -> Result<Vec<(ConversationId, u32)>, DbError>;

    /// Removes a conversation that is being deleted, with its turns.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn remove(&self, id: ConversationId) -> Result<(), DbError>;

    /// Makes the next turn of a conversation.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn insert_turn(&self, turn: NewTurn) -> Result<Numbered, DbError>;

    /// A turn.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn lookup_turn(&self, id: ConversationId, number: u32) -> Result<Option<TurnRow>, DbError>;

    /// Turns after a number, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_turns(&self, id: ConversationId, after: u32, limit: usize)
    -> Result<Vec<TurnRow>, DbError>;

    /// Ends a turn that is open; one that has ended stands.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn end_turn(&self, end: EndTurn) -> Result<(), DbError>;

    /// Removes a turn that nobody was told of.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn remove_turn(&self, id: ConversationId, number: u32) -> Result<(), DbError>;

    /// Turns that have not ended, after a place, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn list_open(&self, limit: usize) -> Result<Vec<(ConversationId, u32)>, DbError>;
}
