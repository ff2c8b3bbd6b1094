//! Reads on pooled connections, off the runtime's threads.

use rusqlite::Connection;

use crate::{Db, DbError};

impl Db {
    /// Runs a read on a pooled connection that refuses to write. Sees every commit that was
    /// answered before the call.
    ///
    /// # Errors
    /// The job's own error, or a [`DbError`] turned into it.
    pub async fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    {
        let reader = self.inner.readers.get().await.map_err(|e| DbError::Unavailable(e.to_string()))?;
        match reader.interact(job).await {
            Ok(result) => result,
            Err(panicked) => Err(DbError::Bug(format!("a read failed: {panicked}")).into()),
        }
    }
}
