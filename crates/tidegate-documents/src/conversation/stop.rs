//! Stopping an answer: what was written is kept.

use tidegate_types::ConversationId;

use super::conversations::Conversations;
use super::desk::Cause;
use super::error::StopError;
use super::model::Turn;

impl Conversations {
    /// Stops an answer, or a question that still waits, and answers the turn as it stands then.
    /// One that has ended stays as it is.
    ///
    /// # Errors
    /// There is no such turn.
    pub async fn stop(&self, id: ConversationId, number: u32) -> Result<Turn, StopError> {
        if let Some(sitting) = self.inner.desk.find(id, number) {
            sitting.end(Cause::Stop).cancelled().await;
        }
        let turn = self.turn(id, number).await?;
        turn.ok_or(StopError::NotFound)
    }
}
