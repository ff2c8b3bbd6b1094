//! The tables of this crate in the embedded database.

mod announcements;
mod claimable;
mod read;
mod write;

use async_trait::async_trait;
use rusqlite::OptionalExtension as _;
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::{GenerationId, Offset, Timestamp};

use crate::Announcement;
use crate::store::{Claimable, ClaimableQuery, GenerationStore, ListQuery, Row, Save};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The store of generations in SQLite.
#[derive(Clone, Debug)]
pub struct SqliteGenerations {
    db: Db,
}

impl SqliteGenerations {
    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A migration fails.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        db.migrate("generations", embedded::migrations::runner()).await?;
        Ok(Self { db })
    }
}

#[async_trait]
impl GenerationStore for SqliteGenerations {
    async fn lookup(&self, id: &GenerationId) -> Result<Option<Row>, DbError> {
        let id = id.clone();
        self.db.read(move |conn| read::lookup(conn, &id)).await
    }

    async fn save(&self, save: Save) -> Result<(), DbError> {
        self.db.write(move |tx| write::save(tx, &save)).await
    }

    async fn remove(&self, id: &GenerationId) -> Result<bool, DbError> {
        let id = id.clone();
        self.db
            .write(move |tx| {
                let removed =
                    tx.prepare_cached("DELETE FROM generations WHERE id = ?1")?.execute([id.as_str()])?;
                Ok(removed > 0)
            })
            .await
    }

    async fn list(&self, query: ListQuery) -> Result<Vec<(i64, Row)>, DbError> {
        self.db.read(move |conn| read::list(conn, &query)).await
    }

    async fn list_claimable(&self, query: ClaimableQuery) -> Result<Vec<Claimable>, DbError> {
        self.db.read(move |conn| claimable::list(conn, &query)).await
    }

    async fn queue_place(&self, id: &GenerationId) -> Result<Option<u64>, DbError> {
        let id = id.clone();
        self.db.read(move |conn| claimable::queue_place(conn, &id)).await
    }

    async fn list_positions(
        &self,
        after: Option<&GenerationId>,
        up_to: Option<&GenerationId>,
    ) -> Result<Vec<(GenerationId, Offset)>, DbError> {
        let after = after.map(|id| id.as_str().to_owned()).unwrap_or_default();
        let up_to = up_to.map(|id| id.as_str().to_owned());
        self.db
            .read(move |conn| {
                let mut statement = conn.prepare_cached(
                    "SELECT id, at_offset FROM generations
                     WHERE id > ?1 AND (?2 IS NULL OR id <= ?2) ORDER BY id",
                )?;
                let mut rows = statement.query((after, up_to))?;
                let mut positions = Vec::new();
                while let Some(row) = rows.next()? {
                    positions.push((read::id(&row.get::<_, String>(0)?)?, read::offset(row.get(1)?)?));
                }
                Ok(positions)
            })
            .await
    }

    async fn list_lapsed(&self, now: Timestamp, limit: usize) -> Result<Vec<GenerationId>, DbError> {
        self.list_ids(
            "SELECT id FROM generations WHERE lease_expires_at <= ?1 ORDER BY lease_expires_at LIMIT ?2",
            now,
            limit,
        )
        .await
    }

    async fn extend_leases(&self, now: Timestamp) -> Result<usize, DbError> {
        self.db
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "UPDATE generations SET lease_expires_at = max(lease_expires_at, ?1 + lease_ms)
                         WHERE lease_expires_at IS NOT NULL",
                    )?
                    .execute([now.as_millis()])?)
            })
            .await
    }

    async fn list_finished(&self, before: Timestamp, limit: usize) -> Result<Vec<GenerationId>, DbError> {
        self.list_ids(
            "SELECT id FROM generations WHERE finished_at < ?1 ORDER BY finished_at LIMIT ?2",
            before,
            limit,
        )
        .await
    }

    async fn list_announcements(&self, limit: usize) -> Result<Vec<(i64, Announcement)>, DbError> {
        self.db.read(move |conn| announcements::list(conn, limit)).await
    }

    async fn forget_announcements(&self, up_to: i64) -> Result<(), DbError> {
        self.db
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM generation_announcements WHERE seq <= ?1")?
                    .execute([up_to])?;
                Ok(())
            })
            .await
    }
}

impl SqliteGenerations {
    async fn list_ids(
        &self,
        sql: &'static str,
        time: Timestamp,
        limit: usize,
    ) -> Result<Vec<GenerationId>, DbError> {
        self.db
            .read(move |conn| {
                let mut statement = conn.prepare_cached(sql)?;
                let mut rows = statement.query((time.as_millis(), count(limit)))?;
                let mut ids = Vec::new();
                while let Some(row) = rows.next()? {
                    ids.push(read::id(&row.get::<_, String>(0)?)?);
                }
                Ok(ids)
            })
            .await
    }
}

fn seq_of(conn: &rusqlite::Connection, id: &GenerationId) -> Result<Option<i64>, DbError> {
    Ok(conn
        .prepare_cached("SELECT seq FROM generations WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn corrupt(what: &str) -> DbError {
    DbError::Bug(format!("a stored {what} cannot be read"))
}
