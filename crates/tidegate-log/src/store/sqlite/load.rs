//! Finding streams and their heads.

use tidegate_db::DbError;
use tidegate_db::rusqlite::{Connection, OptionalExtension as _, Result, params};
use tidegate_types::StreamPath;

use super::journal::Journal;
use super::{COLUMNS, stored};
use crate::StreamId;
use crate::store::{HeadNeed, ProducerState, Stored, StoredHead};

pub(super) fn by_path(conn: &Connection, path: &StreamPath) -> Result<Option<Stored>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM streams s WHERE s.path = ?1 AND (s.deleted_at IS NULL OR s.ref_count > 0)"
    ))?
    .query_row([path.as_str()], stored)
    .optional()
}

pub(super) fn by_id(conn: &Connection, id: StreamId) -> Result<Option<Stored>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM streams s WHERE s.id = ?1 AND s.deleted_at IS NULL"))?
        .query_row([id.get()], stored)
        .optional()
}

pub(super) fn list(
    conn: &Connection,
    prefix: &str,
    after: Option<&StreamPath>,
    limit: usize,
) -> Result<Vec<Stored>> {
    // A path sorts bytewise, so those with a prefix lie together: the scan stops at the first
    // that lacks it. No upper bound is built from the prefix, which may end in any character.
    let sql = format!(
        "SELECT {COLUMNS} FROM streams s WHERE s.path >= ?1 AND s.path > ?2 AND s.deleted_at IS NULL \
         ORDER BY s.path LIMIT ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![prefix, after.map_or("", StreamPath::as_str), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let stream = stored(row)?;
        if !stream.info.path.as_str().starts_with(prefix) {
            break;
        }
        found.push(stream);
    }
    Ok(found)
}

/// The streams, with the tails that the journal gives them. Call it inside of the transaction that has
/// loaded them.
pub(super) fn with_tails<S>(tx: &Connection, journal: &Journal, mut streams: S) -> Result<S, DbError>
where
    for<'a> &'a mut S: IntoIterator<Item = &'a mut Stored>,
{
    journal.look(tx, |view| {
        for stored in &mut streams {
            view.move_tail(&mut stored.info);
        }
    })?;
    Ok(streams)
}

/// What the writer needs to know, as its running transaction sees it.
pub(super) fn head(conn: &Connection, journal: &Journal, need: &HeadNeed) -> Result<Option<StoredHead>> {
    let Some(mut stored) = by_path(conn, &need.path)? else { return Ok(None) };
    let id = stored.info.id;
    journal.look_newest(|view| view.move_tail(&mut stored.info));
    let last_seq = match journal.last_seq(id) {
        Some(newest) => Some(newest),
        None => conn
            .prepare_cached("SELECT last_seq FROM streams WHERE id = ?1")?
            .query_row([id.get()], |row| row.get(0))?,
    };
    let state = |name: &String| match journal.producer(id, name) {
        Some(newest) => Ok(Some(newest)),
        None => producer(conn, id, name),
    };
    let producers = need.producers.iter().map(state).collect::<Result<_>>()?;
    Ok(Some(StoredHead { stored, last_seq, producers }))
}

fn producer(conn: &Connection, id: StreamId, name: &str) -> Result<Option<ProducerState>> {
    conn.prepare_cached("SELECT epoch, last_seq FROM producers WHERE stream_id = ?1 AND producer_id = ?2")?
        .query_row(params![id.get(), name], |row| {
            Ok(ProducerState { epoch: row.get(0)?, last_seq: row.get(1)? })
        })
        .optional()
}

/// The id that the next new stream gets: ids are never used again, so that whatever binds one can't
/// meet another stream.
pub(super) fn next_id(conn: &Connection) -> Result<i64> {
    let last: Option<i64> = conn
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'streams'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0) + 1)
}
