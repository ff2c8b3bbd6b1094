//! What can go wrong, one enum per operation.

use tidegate_db::DbError;
use tidegate_log::{AppendError, CreateError, LogError, ReadError};
use tidegate_types::ErrorCode;

use crate::DocumentsError;

/// Reading or writing failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConversationsError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stream, or a document; the code says which kind of failure.
    #[error("{detail}")]
    Other {
        /// How it is told to clients.
        code: ErrorCode,
        /// What happened, for the log.
        detail: String,
    },
    /// The list's cursor is not one of ours.
    #[error("the cursor is not one that a list answered")]
    Cursor,
}

impl ConversationsError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Db(error) => error.code(),
            Self::Other { code, .. } => *code,
            Self::Cursor => ErrorCode::InvalidCursor,
        }
    }

    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        Self::Other { code: ErrorCode::Internal, detail: error.to_string() }
    }
}

tidegate_db::coded_errors!(ConversationsError::Other from LogError, CreateError, AppendError, ReadError, DocumentsError);

tidegate_db::operation_errors! {
    Conversations(ConversationsError);
    /// A conversation was not made.
    CreateConversationError {
        /// The title is longer than it may be.
        Title(usize) = "the title has more than {0} bytes", ErrorCode::ValidationFailed;
        /// More documents than one conversation may have.
        TooManyDocuments(usize) = "a conversation has at most {0} documents", ErrorCode::ValidationFailed;
        /// A document is not there, or not the owner's.
        NoDocument = "one of the documents is not there", ErrorCode::NotFound;
        /// The owner has as many conversations as one user may have.
        TooMany(u64) = "you have {0} conversations already", ErrorCode::ConversationLimit;
    }
    /// A question was not taken.
    AskError {
        /// There is no such conversation, or no such turn in it.
        NotFound = "there is no such conversation or turn", ErrorCode::NotFound;
        /// Nothing is asked, or too much.
        Message(u64) = "a message has 1 to {0} bytes", ErrorCode::ValidationFailed;
        /// No such turn to follow.
        Parent = "there is no such turn in this conversation", ErrorCode::ValidationFailed;
        /// No such answerer.
        Answerer = "this server has no such answerer", ErrorCode::ValidationFailed;
        /// Another question is being answered, or too many wait.
        Busy = "another question of this conversation is being answered", ErrorCode::ConversationBusy;
        /// The conversation has as many turns as one may have.
        TooMany(u64) = "the conversation has {0} turns already", ErrorCode::ConversationLimit;
        /// Too many questions wait on this server.
        Overloaded = "too many questions wait for their answers", ErrorCode::Overloaded;
        /// The server shuts down.
        Draining = "the server is shutting down", ErrorCode::Draining;
    }
    /// An answer was not stopped.
    StopError {
        /// There is no such turn.
        NotFound = "there is no such turn", ErrorCode::NotFound;
    }
    /// A conversation was not deleted.
    DeleteConversationError {
        /// There is no such conversation.
        NotFound = "there is no such conversation", ErrorCode::NotFound;
    }
}
