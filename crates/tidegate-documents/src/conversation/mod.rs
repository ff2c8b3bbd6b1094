//! Conversations: questions over documents, each answer a stream of its own.
//!
//! Owns: conversations and their turns, the streams `conversations/{id}/turns/{n}`, the order of
//! questions, stopping, what happens to an answer when the server goes away.
//! Must not: know HTTP, or how an answer is found ([`crate::Answerer`] does).
//!
//! Rules: an answer belongs to the server, not to whoever reads it; its stream is written first and
//! the row follows; every turn ends, with `done` or with `turn.error`.

mod ask;
mod conversations;
mod create;
mod delete;
mod desk;
mod error;
mod event;
mod lookup;
mod mend;
mod model;
mod run;
mod sqlite;
mod stop;
mod store;
mod writer;

pub use conversations::{Conversations, ConversationsParts};
pub use error::{AskError, ConversationsError, CreateConversationError, DeleteConversationError, StopError};
pub use event::TurnEvent;
pub use model::{
    Ask, Asked, Conversation, ConversationPage, Ending, IfBusy, NewConversation, Turn, TurnFailure, TurnPage,
    TurnStatus,
};
pub use sqlite::SqliteConversations;
pub use store::{ConversationStore, EndTurn, Inserted, NewTurn, Numbered, Parent, TurnRow};
