//! Failures of conversations as answers.

use tidegate_documents::{
    AskError, ConversationsError, CreateConversationError, DeleteConversationError, StopError,
};

use crate::problem::Problem;
use crate::wire::{told, told_as_they_are};

told_as_they_are! { ConversationsError DeleteConversationError StopError }

impl From<CreateConversationError> for Problem {
    fn from(error: CreateConversationError) -> Self {
        let text = error.to_string();
        let problem = told(&error, error.code());
        match error {
            CreateConversationError::Title(_) => problem.field("/title", "too-long", text),
            CreateConversationError::TooManyDocuments(_) => problem.field("/document_ids", "too-many", text),
            CreateConversationError::NoDocument => problem.field("/document_ids", "not-found", text),
            CreateConversationError::TooMany(_) | CreateConversationError::Conversations(_) => problem,
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let text = error.to_string();
        let problem = told(&error, error.code());
        match error {
            AskError::Message(_) => problem.field("/message", "length", text),
            AskError::Parent => problem.field("/parent_id", "not-found", text),
            AskError::Answerer => problem.field("/answerer", "unknown", text),
            AskError::NotFound
            | AskError::Busy
            | AskError::TooMany(_)
            | AskError::Overloaded
            | AskError::Draining
            | AskError::Conversations(_) => problem,
        }
    }
}
