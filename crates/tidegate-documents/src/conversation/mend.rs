//! Ending what nobody is working on: after a restart, or when an end could not be written.

use tidegate_log::{Append, AppendError};
use tidegate_types::{ConversationId, Offset};

use super::conversations::Conversations;
use super::error::ConversationsError;
use super::event::{Projection, TurnEvent, hex_sha256};
use super::store::EndTurn;
use crate::answer::AnswerFailed;

impl Conversations {
    /// Brings a turn that nobody answers to its end, in its stream first, then in its row.
    pub(super) async fn mend(&self, id: ConversationId, number: u32) -> Result<(), ConversationsError> {
        if self.inner.desk.find(id, number).is_some() {
            return Ok(());
        }
        let Some((said, offset)) = self.replay(id, number).await? else {
            // The stream is made before anybody is told, so nobody was; or it is being deleted.
            return Ok(self.parts().store.remove_turn(id, number).await?);
        };
        let (said, offset) = match said.end {
            Some(_) => (said, offset),
            None => self.end_lost(id, number, said, offset).await?,
        };
        self.save_end(id, number, said, offset).await
    }

    async fn end_lost(
        &self,
        id: ConversationId,
        number: u32,
        mut said: Projection,
        offset: Offset,
    ) -> Result<(Projection, Offset), ConversationsError> {
        let event = error_event(number, &said.answer, &restarted());
        let append = Append {
            records: vec![event.encode().map_err(|error| ConversationsError::internal(&error))?],
            close: true,
            expect_tail: Some(offset),
            ..Append::default()
        };
        match self.parts().log.append(&Self::stream_path(id, number), append).await {
            Ok(appended) => {
                said.add(event);
                Ok((said, appended.tail))
            }
            // Deleted meanwhile: there is nothing to end.
            Err(AppendError::NotFound) => Ok((said, offset)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the row of a turn whose stream has ended.
    pub(super) async fn save_end(
        &self,
        id: ConversationId,
        number: u32,
        said: Projection,
        offset: Offset,
    ) -> Result<(), ConversationsError> {
        let Some((status, ending)) = said.end else { return Ok(()) };
        let end = EndTurn {
            conversation_id: id,
            number,
            status,
            answer: said.answer,
            citations: said.citations,
            ending,
            offset,
            now: self.now(),
        };
        Ok(self.parts().store.end_turn(end).await?)
    }
}

/// The server went away in the middle of an answer.
pub(super) fn restarted() -> AnswerFailed {
    AnswerFailed::server("server-restarted", "The server restarted in the middle of this answer. Ask again.")
}

/// The last record of an answer that failed.
pub(super) fn error_event(number: u32, answer: &str, failed: &AnswerFailed) -> TurnEvent {
    TurnEvent::Error {
        turn_id: number.to_string(),
        code: failed.code.to_owned(),
        detail: failed.detail.clone(),
        fault: failed.fault,
        text_sha256: hex_sha256(answer),
        length: answer.len(),
    }
}
