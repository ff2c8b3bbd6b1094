//! Streams in the embedded database.
//!
//! Owns: the SQL of streams, chunks and producers. Must not: decide anything about a write.

mod cut;
mod fork;
mod group;
mod load;
mod read;
mod sweep;
mod write;

use std::sync::Arc;

use tidegate_db::rusqlite::{Connection, Row};
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::{Offset, StreamPath, Timestamp};

use self::fork::Lineages;
use super::{CutQuery, Due, Found, Group, LogStore, ReadQuery, Stored};
use crate::{Fork, LogError, StreamId, StreamInfo};

mod embedded {
    tidegate_db::refinery::embed_migrations!("migrations");
}

/// Streams in the embedded database.
#[derive(Clone, Debug)]
pub struct SqliteLogStore {
    db: Db,
    lineages: Arc<Lineages>,
}

impl SqliteLogStore {
    /// Opens the store and brings its tables up to date.
    ///
    /// # Errors
    /// The tables can't be brought up to date.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        db.migrate("log", embedded::migrations::runner()).await?;
        Ok(Self { db, lineages: Arc::default() })
    }
}

#[async_trait::async_trait]
impl LogStore for SqliteLogStore {
    fn commit(&self, group: Box<dyn Group>) {
        self.db.submit(Box::new(group::GroupJob::new(group)));
    }

    async fn lookup(&self, path: &StreamPath) -> Result<Option<Stored>, LogError> {
        let path = path.clone();
        Ok(self.db.read::<_, DbError, _>(move |conn| Ok(load::by_path(conn, &path)?)).await?)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&StreamPath>,
        limit: usize,
    ) -> Result<Vec<Stored>, LogError> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        let read = move |conn: &mut Connection| Ok(load::list(conn, &prefix, after.as_ref(), limit)?);
        Ok(self.db.read::<_, DbError, _>(read).await?)
    }

    async fn read(&self, query: ReadQuery) -> Result<Option<Found>, LogError> {
        let lineages = Arc::clone(&self.lineages);
        self.db.read(move |conn| read::read(conn, &lineages, &query)).await
    }

    async fn list_due(&self, now: Timestamp, limit: usize) -> Result<Due, LogError> {
        Ok(self.db.read::<_, DbError, _>(move |conn| Ok(sweep::list_due(conn, now, limit)?)).await?)
    }

    async fn find_cut(&self, query: CutQuery) -> Result<Option<Offset>, LogError> {
        Ok(self.db.read::<_, DbError, _>(move |conn| Ok(cut::find_cut(conn, &query)?)).await?)
    }

    async fn purge(&self, chunks: usize) -> Result<bool, LogError> {
        if !self.db.read::<_, DbError, _>(|conn| Ok(sweep::has_garbage(conn)?)).await? {
            return Ok(false);
        }
        Ok(self.db.write::<_, DbError, _>(move |tx| Ok(sweep::purge(tx, chunks)?)).await?)
    }
}

/// The columns that [`stored`] reads, with the tail worked out from the last chunk.
const COLUMNS: &str = "s.id, s.path, s.content_type, s.created_at, s.ttl_ms, s.expires_at, s.deadline, \
     s.start, s.closed, max(s.start, coalesce(s.fork_offset, 0), coalesce((SELECT c.first_offset + c.records \
     FROM chunks c WHERE c.stream_id = s.id ORDER BY c.first_offset DESC LIMIT 1), 0)), s.ref_count, \
     s.deleted_at IS NOT NULL, s.fork_of, s.fork_offset, s.fork_sub_offset, s.fork_depth, \
     CASE WHEN s.fork_of IS NOT NULL THEN (SELECT f.path FROM streams f WHERE f.id = s.fork_of) END";

fn stored(row: &Row<'_>) -> tidegate_db::rusqlite::Result<Stored> {
    let path: String = row.get(1)?;
    let content_type: String = row.get(2)?;
    let info = StreamInfo {
        id: StreamId::new(row.get(0)?),
        path: path.parse::<StreamPath>().map_err(|e| unreadable(1, e))?,
        content_type: content_type.into(),
        start: offset(row, 7)?,
        tail: offset(row, 9)?,
        closed: row.get(8)?,
        ttl: row.get::<_, Option<u64>>(4)?.map(std::time::Duration::from_millis),
        expires_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(row.get(3)?),
    };
    let deadline = row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis);
    Ok(Stored { info, deadline, fork: fork_of(row)?, forks: row.get(10)?, gone: row.get(11)? })
}

fn fork_of(row: &Row<'_>) -> tidegate_db::rusqlite::Result<Option<Arc<Fork>>> {
    let Some(source) = row.get::<_, Option<i64>>(12)? else { return Ok(None) };
    let path: String = row.get(16)?;
    Ok(Some(Arc::new(Fork {
        source: StreamId::new(source),
        path: path.parse::<StreamPath>().map_err(|e| unreadable(16, e))?,
        at: offset(row, 13)?,
        sub: row.get(14)?,
        depth: row.get(15)?,
    })))
}

fn offset(row: &Row<'_>, column: usize) -> tidegate_db::rusqlite::Result<Offset> {
    Ok(Offset::new(row.get(column)?).unwrap_or(Offset::MAX))
}

fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> tidegate_db::rusqlite::Error {
    let kind = tidegate_db::rusqlite::types::Type::Text;
    tidegate_db::rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
