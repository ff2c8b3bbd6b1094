//! Conversations and turns on the wire.

use serde::Serialize;
use serde_json::Value;
use tidegate_documents::{Citation, Conversation, Turn};
use tidegate_types::{ConversationId, DocumentId, Offset, Timestamp, UserId};
use utoipa::ToSchema;

/// A conversation over some documents.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ConversationView {
    /// UUIDv7.
    #[schema(value_type = String)]
    pub(crate) id: ConversationId,
    /// Whose it is.
    #[schema(value_type = String)]
    owner_id: UserId,
    /// Its name for people.
    title: Option<String>,
    /// The documents; empty for all of the owner's.
    #[schema(value_type = Vec<String>)]
    document_ids: Vec<DocumentId>,
    /// How many questions were asked.
    turn_count: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last got a question.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A conversation with its turns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ConversationWithTurns {
    #[serde(flatten)]
    pub(crate) conversation: ConversationView,
    /// Oldest first.
    pub(crate) turns: Vec<TurnView>,
    /// Where the next page of turns begins; null at the end.
    pub(crate) next_cursor: Option<String>,
}

/// A question with its answer so far.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TurnView {
    /// Its number in the conversation, as text.
    pub(crate) id: String,
    /// Its conversation.
    #[schema(value_type = String)]
    pub(crate) conversation_id: ConversationId,
    /// The turn that it follows.
    parent_id: Option<String>,
    /// The turn whose question is asked again here.
    sibling_of: Option<String>,
    /// What was asked.
    message: String,
    /// Who answers.
    answerer: String,
    /// `waiting`, `answering`, `completed`, `stopped` or `failed`.
    status: &'static str,
    /// What was answered so far.
    answer: String,
    /// What the answer rests on.
    citations: Vec<CitationView>,
    /// SHA-256 of the whole text, once it has ended.
    text_sha256: Option<String>,
    /// Bytes of the whole text, once it has ended.
    length: Option<usize>,
    /// What the answer used, once it is whole.
    usage: Option<Value>,
    /// `{code, detail, fault}`, if it failed.
    error: Option<Value>,
    /// Where its stream is read.
    pub(crate) stream_url: String,
    /// The position in its stream that this reflects; `?after=` it reads on from here.
    #[schema(value_type = String)]
    offset: Offset,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

/// What a part of an answer rests on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CitationView {
    /// The document.
    #[schema(value_type = String)]
    document_id: DocumentId,
    /// The page, from 1, where the document has pages.
    page: Option<u32>,
    /// The words: exactly the bytes `start..end` of the document's text.
    quote: String,
    /// Where they begin, in bytes of UTF-8.
    start: usize,
    /// Where they end.
    end: usize,
    /// The number that stands for it in the text, as in `[2]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<usize>,
}

impl From<Conversation> for ConversationView {
    fn from(found: Conversation) -> Self {
        Self {
            id: found.id,
            owner_id: found.owner_id,
            title: found.title,
            document_ids: found.document_ids,
            turn_count: found.turns,
            created_at: found.created_at,
            updated_at: found.updated_at,
        }
    }
}

impl From<Turn> for TurnView {
    fn from(turn: Turn) -> Self {
        let (id, number) = (turn.conversation_id, turn.number);
        let ending = turn.ending.as_ref();
        let error = ending.and_then(|ending| ending.error.as_ref());
        Self {
            id: number.to_string(),
            conversation_id: id,
            parent_id: turn.parent.map(|parent| parent.to_string()),
            sibling_of: turn.sibling_of.map(|sibling| sibling.to_string()),
            status: turn.status.as_str(),
            text_sha256: ending.map(|ending| ending.text_sha256.clone()),
            length: ending.map(|ending| ending.length),
            usage: ending.and_then(|ending| ending.usage.clone()),
            // A failure has nothing that JSON can't say.
            error: error.and_then(|error| serde_json::to_value(error).ok()),
            message: turn.message,
            answerer: turn.answerer,
            answer: turn.answer,
            citations: turn.citations.into_iter().map(CitationView::from).collect(),
            stream_url: format!("/api/v1/conversations/{id}/turns/{number}/stream"),
            offset: turn.offset,
            created_at: turn.created_at,
            finished_at: turn.finished_at,
        }
    }
}

impl From<Citation> for CitationView {
    fn from(citation: Citation) -> Self {
        let Citation { document_id, page, quote, start, end, number } = citation;
        Self { document_id, page, quote, start, end, number }
    }
}
