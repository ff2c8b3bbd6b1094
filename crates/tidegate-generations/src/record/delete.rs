//! Deleting: the stream first, so that open tails end, then the row.

use std::time::Duration;

use tidegate_types::{GenerationId, Timestamp};

use crate::{DeleteError, Generations, GenerationsError};

const OLD_PER_STEP: usize = 50;

impl Generations {
    /// Deletes the record and its stream, whatever its state; its worker is told `not-found`.
    ///
    /// # Errors
    /// There is no such generation.
    pub async fn delete(&self, id: &GenerationId) -> Result<(), DeleteError> {
        let (this, id) = (self.clone(), id.clone());
        self.run_whole(async move {
            let _held = this.inner.locks.lock(id.clone()).await;
            let had_stream =
                this.parts().log.delete(&Self::stream_path(&id)).await.map_err(GenerationsError::from)?;
            let had_row = this.parts().store.remove(&id).await?;
            this.inner.teller.forget(&id);
            if had_stream || had_row { Ok(()) } else { Err(DeleteError::NotFound) }
        })
        .await
    }

    /// Deletes some of those that ended longer ago than they are kept; answers whether there were any.
    pub(crate) async fn remove_old(&self, now: Timestamp) -> Result<bool, GenerationsError> {
        let retention: Duration = self.parts().config.retention;
        let old = self.parts().store.list_finished(now.minus(retention), OLD_PER_STEP).await?;
        for id in &old {
            match self.delete(id).await {
                Ok(()) | Err(DeleteError::NotFound) => {}
                Err(DeleteError::Generations(error)) => return Err(error),
            }
        }
        Ok(!old.is_empty())
    }
}
