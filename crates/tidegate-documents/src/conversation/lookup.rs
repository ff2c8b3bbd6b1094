//! Looking at conversations and their turns.

use tidegate_log::ReadBound;
use tidegate_types::{ConversationId, Offset, ReadFrom, UserId};

use super::conversations::Conversations;
use super::error::ConversationsError;
use super::event::{Projection, TurnEvent};
use super::model::{Conversation, ConversationPage, Turn, TurnPage, TurnStatus};
use super::store::TurnRow;

const PAGE: ReadBound = ReadBound { records: 1_024, bytes: 1_048_576 };

impl Conversations {
    /// A conversation by its id, whosever it is.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn lookup(&self, id: ConversationId) -> Result<Option<Conversation>, ConversationsError> {
        Ok(self.parts().store.lookup(id).await?)
    }

    /// An owner's conversations, newest first.
    ///
    /// # Errors
    /// The cursor is not one of ours, or the database cannot be read.
    pub async fn list(
        &self,
        owner: UserId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<ConversationPage, ConversationsError> {
        let before = cursor.map(|text| number(text).and_then(|n| i64::try_from(n).ok()));
        let before = match before {
            Some(None) => return Err(ConversationsError::Cursor),
            Some(before) => before,
            None => None,
        };
        let limit = self.cut(limit);
        let mut rows = self.parts().store.list(owner, before, limit + 1).await?;
        let is_cut = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| is_cut).map(|(place, _)| place.to_string());
        Ok(ConversationPage { items: rows.into_iter().map(|(_, row)| row).collect(), next_cursor })
    }

    /// A turn, with what was answered so far.
    ///
    /// # Errors
    /// The database or the stream cannot be read.
    pub async fn turn(&self, id: ConversationId, number: u32) -> Result<Option<Turn>, ConversationsError> {
        match self.parts().store.lookup_turn(id, number).await? {
            Some(row) => Ok(Some(self.turn_of(row).await?)),
            None => Ok(None),
        }
    }

    /// Turns of a conversation, oldest first, after the place where an earlier page ended.
    ///
    /// # Errors
    /// The cursor is not one of ours, or the database or a stream cannot be read.
    pub async fn turns(
        &self,
        id: ConversationId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<TurnPage, ConversationsError> {
        let after = match cursor {
            Some(text) => {
                number(text).and_then(|n| u32::try_from(n).ok()).ok_or(ConversationsError::Cursor)?
            }
            None => 0,
        };
        let limit = self.cut(limit);
        let mut rows = self.parts().store.list_turns(id, after, limit + 1).await?;
        let is_cut = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| is_cut).map(|row| row.number.to_string());
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(self.turn_of(row).await?);
        }
        Ok(TurnPage { items, next_cursor })
    }

    fn cut(&self, limit: usize) -> usize {
        limit.clamp(1, usize::try_from(self.parts().limits.page_items).unwrap_or(usize::MAX))
    }

    /// The turn of a row; one that is open is read from its stream.
    pub(super) async fn turn_of(&self, row: TurnRow) -> Result<Turn, ConversationsError> {
        let Some(status) = row.status else { return self.open_turn(row).await };
        Ok(turn(row, status))
    }

    async fn open_turn(&self, mut row: TurnRow) -> Result<Turn, ConversationsError> {
        let sitting = self.inner.desk.find(row.conversation_id, row.number);
        let Some((said, offset)) = self.replay(row.conversation_id, row.number).await? else {
            return Ok(turn(row, TurnStatus::Waiting));
        };
        row.answer = said.answer;
        row.citations = said.citations;
        row.offset = offset;
        if let Some((status, ending)) = said.end {
            row.ending = Some(ending);
            return Ok(turn(row, status));
        }
        let answering = sitting.is_some_and(|sitting| sitting.is_answering());
        let status = if answering { TurnStatus::Answering } else { TurnStatus::Waiting };
        Ok(turn(row, status))
    }

    /// What the records of a turn add up to, and the end of its stream. `None`: no such stream.
    pub(super) async fn replay(
        &self,
        id: ConversationId,
        number: u32,
    ) -> Result<Option<(Projection, Offset)>, ConversationsError> {
        let path = Self::stream_path(id, number);
        let (mut said, mut from) = (Projection::default(), ReadFrom::Start);
        loop {
            let page = match self.parts().log.read(&path, from, PAGE).await {
                Ok(page) => page,
                Err(tidegate_log::ReadError::NotFound) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            for record in &page.records {
                match TurnEvent::decode(&record.data) {
                    Ok(event) => said.add(event),
                    Err(error) => tracing::error!(stream.path = %path, %error, "a record fits no turn"),
                }
            }
            if page.up_to_date || page.records.is_empty() {
                return Ok(Some((said, page.next)));
            }
            from = ReadFrom::At(page.next);
        }
    }
}

fn turn(row: TurnRow, status: TurnStatus) -> Turn {
    Turn {
        conversation_id: row.conversation_id,
        number: row.number,
        parent: row.parent,
        sibling_of: row.sibling_of,
        answerer: row.answerer,
        message: row.message,
        status,
        answer: row.answer,
        citations: row.citations,
        ending: row.ending,
        offset: row.offset,
        created_at: row.created_at,
        finished_at: row.finished_at,
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
}
