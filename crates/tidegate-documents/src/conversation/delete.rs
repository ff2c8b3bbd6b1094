//! Deleting: no more questions, the streams, so that open tails end, then the rows.

use tidegate_types::ConversationId;

use super::conversations::Conversations;
use super::desk::Cause;
use super::error::{ConversationsError, DeleteConversationError};

impl Conversations {
    /// Deletes a conversation with its turns; open tails end with `deleted`.
    ///
    /// # Errors
    /// There is no such conversation.
    pub async fn delete(&self, id: ConversationId) -> Result<(), DeleteConversationError> {
        let this = self.clone();
        self.run_whole(async move {
            let _held = this.inner.locks.lock(id).await;
            let turns = this.parts().store.mark_deleting(id).await?;
            let turns = turns.ok_or(DeleteConversationError::NotFound)?;
            Ok(this.finish_deletion(id, turns).await?)
        })
        .await
    }

    /// Does what deletion means; may be done again after it was cut off.
    pub(super) async fn finish_deletion(
        &self,
        id: ConversationId,
        turns: u32,
    ) -> Result<(), ConversationsError> {
        for ended in self.inner.desk.end_all(id, Cause::Deleted) {
            ended.cancelled().await;
        }
        // The newest first: that is where readers are.
        for number in (1..=turns).rev() {
            self.parts().log.delete(&Self::stream_path(id, number)).await?;
        }
        Ok(self.parts().store.remove(id).await?)
    }
}
