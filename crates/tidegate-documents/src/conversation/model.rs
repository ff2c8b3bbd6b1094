//! What a conversation is, and what a turn is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_types::{ConversationId, DocumentId, Offset, Timestamp, UserId};

use crate::answer::{Citation, Fault};

/// Questions and answers over some documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its id, made by the server.
    pub id: ConversationId,
    /// Whose it is.
    pub owner_id: UserId,
    /// Its name for people.
    pub title: Option<String>,
    /// The documents; empty for all of the owner's.
    pub document_ids: Vec<DocumentId>,
    /// The document whose own chat this is.
    pub chat_of: Option<DocumentId>,
    /// How many questions were asked.
    pub turns: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last got a question.
    pub updated_at: Timestamp,
}

/// A conversation to be made.
#[derive(Clone, Debug, Default)]
pub struct NewConversation {
    /// Its name for people.
    pub title: Option<String>,
    /// The documents; empty for all of the owner's.
    pub document_ids: Vec<DocumentId>,
}

/// Where a turn stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnStatus {
    /// Other answers come first.
    Waiting,
    /// The answer is being written.
    Answering,
    /// The answer is whole.
    Completed,
    /// It was stopped; what was written is kept.
    Stopped,
    /// It failed; what was written is kept.
    Failed,
}

impl TurnStatus {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Answering => "answering",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will be written.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        !matches!(self, Self::Waiting | Self::Answering)
    }
}

/// Why an answer failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnFailure {
    /// Stable, kebab-case.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
    /// Whose fault it is.
    pub fault: Fault,
}

/// How a turn ended, as its row keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// SHA-256 of the whole text, in hexadecimal.
    pub text_sha256: String,
    /// Bytes of the whole text.
    pub length: usize,
    /// What it used.
    #[serde(default)]
    pub usage: Option<Value>,
    /// Why it failed, if it did.
    #[serde(default)]
    pub error: Option<TurnFailure>,
}

/// A question with its answer, as far as that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its number in the conversation, from 1.
    pub number: u32,
    /// The turn that it follows; `None` for the first.
    pub parent: Option<u32>,
    /// The turn whose question is asked again here.
    pub sibling_of: Option<u32>,
    /// Who answers.
    pub answerer: String,
    /// What was asked.
    pub message: String,
    /// Where it stands.
    pub status: TurnStatus,
    /// What was answered so far.
    pub answer: String,
    /// What the answer rests on.
    pub citations: Vec<Citation>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// The position in its stream that this reflects.
    pub offset: Offset,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What to do with a question while another one of the conversation is being answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfBusy {
    /// It waits its turn.
    #[default]
    Wait,
    /// It is refused.
    Refuse,
}

/// A question.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// What is asked.
    pub message: String,
    /// The turn that it follows; without one, the newest.
    pub parent: Option<u32>,
    /// Who is to answer; without a name, the server's first choice.
    pub answerer: Option<String>,
    /// What to do while another one is being answered.
    pub if_busy: IfBusy,
}

/// A question that was taken: its turn and its stream are there.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The turn.
    pub turn: Turn,
}

/// One page of a list of conversations, newest first.
#[derive(Clone, Debug)]
pub struct ConversationPage {
    /// The conversations.
    pub items: Vec<Conversation>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

/// Turns of a conversation, oldest first.
#[derive(Clone, Debug)]
pub struct TurnPage {
    /// The turns.
    pub items: Vec<Turn>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}
