//! Streams in the embedded database.

use tidegate_db::{Db, OpenError};

use super::LogStore;

/// Streams in the embedded database.
#[derive(Clone, Debug)]
pub struct SqliteLogStore {
    _db: Db,
}

impl SqliteLogStore {
    /// Opens the store and brings its tables up to date.
    ///
    /// # Errors
    /// The tables can't be brought up to date.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        Ok(Self { _db: db })
    }
}

#[async_trait::async_trait]
impl LogStore for SqliteLogStore {}
