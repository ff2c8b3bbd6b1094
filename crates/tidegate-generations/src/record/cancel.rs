//! Cancelling.

use tidegate_types::GenerationId;

use crate::change::Decision;
use crate::{CancelError, Generation, Generations, Status};

impl Generations {
    /// Cancels one that waits; asks the worker of one that is under way to stop. Again is fine.
    ///
    /// # Errors
    /// There is no such generation, or it has completed or failed.
    pub async fn cancel(&self, id: &GenerationId) -> Result<Generation, CancelError> {
        let now = self.now();
        let row = self
            .change(id, |row| match row.state.record.status {
                Status::Cancelling | Status::Cancelled => Ok(Decision::Keep),
                finished @ (Status::Completed | Status::Failed) => Err(CancelError::Finished(finished)),
                Status::Pending | Status::Processing => {
                    let entry =
                        row.state.cancel(now).map_err(|refused| CancelError::Finished(refused.from))?;
                    Ok(Decision::write(entry, row.lease))
                }
            })
            .await?;
        row.map(|row| row.state.record).ok_or(CancelError::NotFound)
    }
}
