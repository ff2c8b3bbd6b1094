//! Waiting for a change: the polling fallback.

use std::time::Duration;

use tidegate_types::{GenerationId, Offset};

use crate::{Generation, Generations, GenerationsError};

impl Generations {
    /// Returns the record once it reflects more than `after`, or as it is when the time is up or
    /// nothing can follow. `None`: there is no such generation, or it was deleted meanwhile.
    ///
    /// # Errors
    /// The database or the stream cannot be read.
    pub async fn wait_change(
        &self,
        id: &GenerationId,
        after: Offset,
        timeout: Duration,
    ) -> Result<Option<Generation>, GenerationsError> {
        let Some(record) = self.lookup(id).await? else { return Ok(None) };
        if record.offset > after || record.status.is_finished() {
            return Ok(Some(record));
        }
        match self.parts().log.wait_past(&Self::stream_path(id), after, timeout).await {
            Ok(_) => {}
            Err(error) if GenerationsError::is_missing(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Who appended holds the lock until the row has followed.
        drop(self.inner.locks.lock(id.clone()).await);
        self.lookup(id).await
    }
}
