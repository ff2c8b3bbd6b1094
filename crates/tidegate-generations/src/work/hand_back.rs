//! Handing back: the worker goes away, the job is none the worse for it.

use tidegate_types::GenerationId;

use crate::{Generation, Generations, Status, WorkError};

impl Generations {
    /// Puts one back among those that wait, within the same attempt; one that was to be cancelled
    /// is cancelled.
    ///
    /// # Errors
    /// The lease is not the present one, or it has ended.
    pub(crate) async fn hand_back(
        &self,
        id: &GenerationId,
        lease: &str,
        reason: &str,
    ) -> Result<Generation, WorkError> {
        self.end(id, lease, |row, now| match row.state.record.status {
            Status::Cancelling => Ok(Some(row.state.end_cancelled("Cancelled", now)?)),
            _ => Ok(Some(row.state.hand_back(reason, now)?)),
        })
        .await
    }
}
