//! Streams in the embedded database.
//!
//! Owns: the SQL of streams, chunks and producers, and the journal before them. Must not: decide anything
//! about a write.

mod cut;
mod fork;
mod group;
mod journal;
mod load;
mod read;
mod sweep;
mod write;

use std::sync::Arc;

use tidegate_db::rusqlite::{Connection, Row, Transaction};
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::{Offset, StreamPath, Timestamp};

use self::fork::Lineages;
use self::journal::Journal;
use super::{CutQuery, Due, Found, Group, LogStore, ReadQuery, Stored};
use crate::{Fork, LogError, LogOptions, StreamId, StreamInfo};

mod embedded {
    tidegate_db::refinery::embed_migrations!("migrations");
}

/// Streams in the embedded database.
#[derive(Clone, Debug)]
pub struct SqliteLogStore {
    db: Db,
    lineages: Arc<Lineages>,
    journal: Journal,
}

impl SqliteLogStore {
    /// Opens the store with the default bounds and brings its tables up to date.
    ///
    /// # Errors
    /// The tables can't be brought up to date, or what a crash left can't be read.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        Self::open_with(db, &LogOptions::default()).await
    }

    /// Opens the store with these bounds and brings its tables up to date.
    ///
    /// # Errors
    /// The tables can't be brought up to date, or what a crash left can't be read.
    pub async fn open_with(db: Db, options: &LogOptions) -> Result<Self, OpenError> {
        db.migrate("log", embedded::migrations::runner()).await?;
        let bytes_max = options.journal_bytes;
        let journal = db.read::<_, DbError, _>(move |conn| Journal::open(conn, bytes_max)).await;
        let unreadable =
            |e: DbError| OpenError::Open { path: db.path().display().to_string(), reason: e.to_string() };
        Ok(Self { journal: journal.map_err(unreadable)?, lineages: Arc::default(), db })
    }

    /// Runs a read in one transaction, so that all it finds is of the same moment.
    async fn read_at_once<T, E>(
        &self,
        read: impl FnOnce(&Transaction<'_>, &Journal) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let journal = self.journal.clone();
        let in_transaction = move |conn: &mut Connection| {
            let tx = conn.transaction().map_err(DbError::from)?;
            read(&tx, &journal)
        };
        self.db.read(in_transaction).await
    }
}

#[async_trait::async_trait]
impl LogStore for SqliteLogStore {
    fn commit(&self, group: Box<dyn Group>) {
        // Before the group, which then joins the same commit.
        self.journal.merge_on().into_iter().for_each(|merge| self.db.submit(merge));
        self.db.submit(Box::new(group::GroupJob::new(group, self.journal.clone())));
    }

    async fn lookup(&self, path: &StreamPath) -> Result<Option<Stored>, LogError> {
        let path = path.clone();
        let read = move |tx: &Transaction<'_>, journal: &Journal| {
            load::with_tails(tx, journal, load::by_path(tx, &path)?)
        };
        Ok(self.read_at_once::<_, DbError>(read).await?)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&StreamPath>,
        limit: usize,
    ) -> Result<Vec<Stored>, LogError> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        let read = move |tx: &Transaction<'_>, journal: &Journal| {
            load::with_tails(tx, journal, load::list(tx, &prefix, after.as_ref(), limit)?)
        };
        Ok(self.read_at_once::<_, DbError>(read).await?)
    }

    async fn read(&self, query: ReadQuery) -> Result<Option<Found>, LogError> {
        let lineages = Arc::clone(&self.lineages);
        self.read_at_once(move |tx, journal| read::read(tx, journal, &lineages, &query)).await
    }

    async fn list_due(&self, now: Timestamp, limit: usize) -> Result<Due, LogError> {
        let read = move |tx: &Transaction<'_>, journal: &Journal| {
            let due = sweep::list_due(tx, now, limit)?;
            Ok(Due { streams: load::with_tails(tx, journal, due.streams)?, ..due })
        };
        Ok(self.read_at_once::<_, DbError>(read).await?)
    }

    async fn find_cut(&self, query: CutQuery) -> Result<Option<Offset>, LogError> {
        let lineages = Arc::clone(&self.lineages);
        let find =
            move |tx: &Transaction<'_>, journal: &Journal| cut::find_cut(tx, journal, &lineages, &query);
        Ok(self.read_at_once::<_, DbError>(find).await?)
    }

    async fn purge(&self, chunks: usize) -> Result<bool, LogError> {
        if !self.db.read::<_, DbError, _>(|conn| Ok(sweep::has_garbage(conn)?)).await? {
            return Ok(false);
        }
        Ok(self.db.write::<_, DbError, _>(move |tx| Ok(sweep::purge(tx, chunks)?)).await?)
    }

    async fn merge(&self, before: Timestamp) -> Result<bool, LogError> {
        if !self.journal.is_due(before) {
            return Ok(false);
        }
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.db.submit(self.journal.merge_before(before, answer));
        let stopped = || Err(DbError::Unavailable("the writer stopped".to_owned()));
        Ok(answered.await.unwrap_or_else(|_| stopped())?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Bench, Subject};
    use tidegate_db::DbOptions;

    const BACK_TO_THE_THIRD: &str = "
        CREATE TABLE old_chunks (stream_id INTEGER NOT NULL, first_offset INTEGER NOT NULL, records INTEGER NOT NULL, \
            at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (stream_id, first_offset)) STRICT, WITHOUT ROWID;
        INSERT INTO old_chunks SELECT stream_id, first_offset, records, at, body FROM chunks;
        DROP TABLE chunks;
        ALTER TABLE old_chunks RENAME TO chunks;
        CREATE TABLE old_journal (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
        INSERT INTO old_journal SELECT seq, body FROM journal WHERE seq > (SELECT merged FROM journal_state);
        DROP TABLE journal;
        ALTER TABLE old_journal RENAME TO journal;
        DELETE FROM schema_history_log WHERE version > 3;";

    async fn open(dir: &tempfile::TempDir) -> Db {
        Db::open(&dir.path().join("t.db"), &DbOptions::default()).await.unwrap()
    }

    #[tokio::test]
    async fn chunks_of_the_third_version_are_read_by_this_one() {
        let dir = tempfile::tempdir().unwrap();
        let options = LogOptions { journal_bytes: 1_000, ..LogOptions::default() };
        let store = SqliteLogStore::open_with(open(&dir).await, &options).await.unwrap();
        let bench = Bench::open(Subject { store: Arc::new(store), keep: Box::new(()) }).await;
        let (mut written, at) = (Vec::new(), bench.create("a").await);
        for n in 0..100 {
            written.push(format!("{n}{}", "-".repeat(n * 100)));
            bench.append(&at, written.last().unwrap()).await;
        }
        let clock = Arc::clone(&bench.clock);
        drop(bench);
        let db = open(&dir).await;
        db.write::<_, DbError, _>(|tx| Ok(tx.execute_batch(BACK_TO_THE_THIRD)?)).await.unwrap();
        drop(db);
        let store = SqliteLogStore::open(open(&dir).await).await.unwrap();
        let subject = Subject { store: Arc::new(store), keep: Box::new(dir) };
        assert_eq!(Bench::go_on(subject, clock).await.read_all(&at).await, written);
    }
}
