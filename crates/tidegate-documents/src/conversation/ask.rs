//! Asking: the turn's row, its stream with `start`, then the answer goes its own way.

use std::sync::Arc;

use tidegate_log::NewStream;
use tidegate_types::ConversationId;

use super::conversations::Conversations;
use super::desk::{Cause, NoPlace};
use super::error::{AskError, ConversationsError};
use super::event::TurnEvent;
use super::model::{Ask, Asked, Conversation, IfBusy};
use super::run::Job;
use super::store::{NewTurn, Numbered, Parent, TurnRow};
use crate::answer::Answerer;

impl Conversations {
    /// Takes a question. Its turn and its stream are there when this answers; the answer goes on
    /// whoever reads it.
    ///
    /// # Errors
    /// The question is not valid, another one is being answered and this one may not wait, or
    /// there are too many of something.
    pub async fn ask(&self, id: ConversationId, ask: Ask) -> Result<Asked, AskError> {
        let most = self.parts().limits.message_bytes;
        let bytes = u64::try_from(ask.message.len()).unwrap_or(u64::MAX);
        if ask.message.trim().is_empty() || bytes > most {
            return Err(AskError::Message(most));
        }
        let parent = ask.parent.map_or(Parent::Newest, |parent| Parent::Of(Some(parent)));
        let wanted = Wanted { parent, sibling_of: None, answerer: ask.answerer, if_busy: ask.if_busy };
        self.take(id, ask.message, wanted).await
    }

    /// Asks a turn's question again, beside it.
    ///
    /// # Errors
    /// As for [`Conversations::ask`].
    pub async fn regenerate(
        &self,
        id: ConversationId,
        number: u32,
        answerer: Option<String>,
        if_busy: IfBusy,
    ) -> Result<Asked, AskError> {
        let again = self.parts().store.lookup_turn(id, number).await?.ok_or(AskError::NotFound)?;
        let wanted = Wanted {
            parent: Parent::Of(again.parent),
            sibling_of: Some(again.sibling_of.unwrap_or(number)),
            answerer,
            if_busy,
        };
        self.take(id, again.message, wanted).await
    }

    async fn take(&self, id: ConversationId, message: String, wanted: Wanted) -> Result<Asked, AskError> {
        let answerer = self.parts().answerers.find(wanted.answerer.as_deref()).cloned();
        let answerer = answerer.ok_or(AskError::Answerer)?;
        let this = self.clone();
        // Whole, so that a caller who goes away can't leave a turn without an answer.
        self.run_whole(async move { this.take_whole(id, message, wanted, answerer).await }).await
    }

    async fn take_whole(
        &self,
        id: ConversationId,
        message: String,
        wanted: Wanted,
        answerer: Arc<dyn Answerer>,
    ) -> Result<Asked, AskError> {
        let _held = self.inner.locks.lock(id).await;
        let conversation = self.parts().store.lookup(id).await?.ok_or(AskError::NotFound)?;
        self.check_place(id, wanted.if_busy)?;
        let new = NewTurn {
            conversation_id: id,
            parent: wanted.parent,
            sibling_of: wanted.sibling_of,
            answerer: answerer.name().to_owned(),
            message,
            now: self.now(),
            most: self.parts().limits.turns_per_conversation,
        };
        let most = new.most;
        let row = match self.parts().store.insert_turn(new).await? {
            Numbered::Turn(row) => *row,
            Numbered::NoConversation => return Err(AskError::NotFound),
            Numbered::NoParent => return Err(AskError::Parent),
            Numbered::TooMany => return Err(AskError::TooMany(most)),
        };
        if let Err(error) = self.open_stream(&row).await {
            // Nobody was told of it.
            self.parts().store.remove_turn(id, row.number).await?;
            return Err(error.into());
        }
        self.begin(conversation, row.clone(), answerer);
        Ok(Asked { turn: self.turn_of(row).await? })
    }

    fn check_place(&self, id: ConversationId, if_busy: IfBusy) -> Result<(), AskError> {
        let open = self.inner.desk.open_of(id);
        let waiting = u64::try_from(open.saturating_sub(1)).unwrap_or(u64::MAX);
        let may_wait =
            if_busy == IfBusy::Wait && waiting < self.parts().limits.questions_waiting_per_conversation;
        if open > 0 && !may_wait {
            return Err(AskError::Busy);
        }
        self.inner.desk.check().map_err(|no| match no {
            NoPlace::Draining => AskError::Draining,
            NoPlace::Full => AskError::Overloaded,
        })
    }

    async fn open_stream(&self, row: &TurnRow) -> Result<(), ConversationsError> {
        let (id, number) = (row.conversation_id, row.number);
        let start = TurnEvent::Start {
            conversation_id: id,
            turn_id: number.to_string(),
            stream_url: format!("/api/v1/conversations/{id}/turns/{number}/stream"),
        };
        let record = start.encode().map_err(|error| ConversationsError::internal(&error))?;
        let new = NewStream { records: vec![record], ..NewStream::json() };
        self.parts().log.create(&Self::stream_path(id, number), new).await?;
        Ok(())
    }

    fn begin(&self, conversation: Conversation, row: TurnRow, answerer: Arc<dyn Answerer>) {
        let (this, id, number) = (self.clone(), conversation.id, row.number);
        let leave = move || this.inner.desk.leave(id, number);
        let place = self.inner.desk.sit(id, number, Arc::new(leave));
        if self.inner.tasks.is_closed() {
            // The server began to drain in between: the answer ends as the others did.
            place.sitting.end(Cause::Drain);
        }
        let job = Job { conversation, row, answerer, place };
        let this = self.clone();
        self.inner.tasks.spawn(async move { this.run(job).await });
    }
}

/// How a question is to be taken.
struct Wanted {
    parent: Parent,
    sibling_of: Option<u32>,
    answerer: Option<String>,
    if_busy: IfBusy,
}
