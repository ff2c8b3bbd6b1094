//! Documents: uploaded files, their text in passages, the search over them, and conversations.
//!
//! Owns: the files, their extraction in a child process, passages and the index, the streams
//! `documents/{id}`, what owners are told; conversations, their
//! streams and answerers (`conversation`, `answer`). Must not: know HTTP, or who may read what; callers ask
//! for an owner's documents.
//!
//! Rules: a file's bytes are parsed in the child only; a document is `ready` in the database before
//! its stream and its owner's feed say so; each byte of text is stored once.

mod answer;
mod conversation;
mod documents;
mod error;
mod extract;
mod framework;
mod model;
mod process;
mod record;
mod search;
mod sentences;
mod sqlite;
mod store;
#[cfg(feature = "suite")]
pub mod suite;
mod upload;
mod words;

pub use answer::{
    AnswerFailed, AnswerSink, Answerer, Answerers, ChatMessage, Citation, Exchange, Extractive, Fault,
    Library, Model, ModelConfig, OpenAi, Part, Question, Role, Spent, Talk, Upstream, UpstreamBody,
    UpstreamError, UpstreamRequest, UpstreamResponse,
};
pub use conversation::{
    Ask, AskError, Asked, Conversation, ConversationPage, ConversationStore, Conversations,
    ConversationsError, ConversationsParts, CreateConversationError, DeleteConversationError, EndTurn,
    Ending, IfBusy, Inserted, NewConversation, NewTurn, Numbered, Parent, SqliteConversations, StopError,
    Turn, TurnEvent, TurnFailure, TurnPage, TurnRow, TurnStatus,
};
pub use documents::{Documents, DocumentsParts};
pub use error::{DeleteError, DocumentsError, SearchError, UploadError};
pub use extract::{Bounds, ChildExtractor, ExtractError, ExtractJob, Extracted, Extractor, run_child};
pub use framework::{Blog, Brief, MasterMode, Writer};
pub use model::{
    Document, DocumentPage, Failure, MediaType, NewPassage, Passage, Stage, Status, UnknownName,
};
pub use record::Content;
pub use search::{Hit, Matching, Search, SearchQuery};
pub use sqlite::SqliteDocuments;
pub use store::{Attempt, DocumentStore, Finish, ListQuery, Removal, Report, Room};
pub use upload::{NewUpload, Upload};
