//! The tables of this crate in the embedded database.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::{Offset, Timestamp, UserId};

use crate::store::{Claimed, EventsStore, NewOperation};
use crate::{CatalogueType, NewType, Operation, OperationState};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The store of events in SQLite.
#[derive(Clone, Debug)]
pub struct SqliteEvents {
    db: Db,
}

impl SqliteEvents {
    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A migration fails.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        db.migrate("events", embedded::migrations::runner()).await?;
        Ok(Self { db })
    }
}

#[async_trait]
impl EventsStore for SqliteEvents {
    async fn list_types(&self) -> Result<Vec<CatalogueType>, DbError> {
        self.db
            .read(|conn| {
                let mut rows = conn.prepare_cached(
                    "SELECT name, description, schema, created_at, updated_at FROM event_types ORDER BY name",
                )?;
                rows.query_map([], read_type)?.collect::<Result<Result<Vec<_>, _>, _>>()?
            })
            .await
    }

    async fn put_type(
        &self,
        new: &NewType,
        limit: u64,
        now: Timestamp,
    ) -> Result<Option<CatalogueType>, DbError> {
        let new = new.clone();
        self.db.write(move |tx| put_type(tx, &new, limit, now)).await
    }

    async fn claim_id(
        &self,
        user: UserId,
        id: &str,
        after: Offset,
        now: Timestamp,
    ) -> Result<Claimed, DbError> {
        let (user, id) = (user.to_string(), id.to_owned());
        self.db
            .write(move |tx| {
                let known = tx
                    .prepare_cached(
                        "SELECT after_offset, at_offset FROM event_ids WHERE user_id = ?1 AND event_id = ?2",
                    )?
                    .query_row(params![user, id], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
                    })
                    .optional()?;
                match known {
                    Some((_, Some(at))) => Ok(Claimed::Written(offset(at)?)),
                    Some((after, None)) => Ok(Claimed::Begun { after: offset(after)? }),
                    None => {
                        tx.prepare_cached(
                            "INSERT INTO event_ids (user_id, event_id, after_offset, noted_at)
                             VALUES (?1, ?2, ?3, ?4)",
                        )?
                        .execute(params![
                            user,
                            id,
                            signed(after.get()),
                            now.as_millis()
                        ])?;
                        Ok(Claimed::Fresh)
                    }
                }
            })
            .await
    }

    async fn settle_id(&self, user: UserId, id: &str, offset: Offset) -> Result<(), DbError> {
        let (user, id) = (user.to_string(), id.to_owned());
        self.db
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE event_ids SET at_offset = ?3 WHERE user_id = ?1 AND event_id = ?2",
                )?
                .execute(params![user, id, signed(offset.get())])?;
                Ok(())
            })
            .await
    }

    async fn forget_ids(&self, before: Timestamp, limit: usize) -> Result<usize, DbError> {
        self.db
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "DELETE FROM event_ids WHERE (user_id, event_id) IN
                         (SELECT user_id, event_id FROM event_ids WHERE noted_at < ?1 LIMIT ?2)",
                    )?
                    .execute(params![before.as_millis(), signed(limit as u64)])?)
            })
            .await
    }

    async fn insert_operation(
        &self,
        new: &NewOperation,
        running_max: usize,
    ) -> Result<Option<String>, DbError> {
        let new = new.clone();
        self.db.write(move |tx| insert_operation(tx, &new, running_max)).await
    }

    async fn lookup_operation(&self, id: &str) -> Result<Option<Operation>, DbError> {
        let id = id.to_owned();
        self.db
            .read(move |conn| {
                conn.prepare_cached(&format!("{SELECT_OPERATION} WHERE id = ?1"))?
                    .query_row([id], |row| Ok(read_operation(row)))
                    .optional()?
                    .transpose()
            })
            .await
    }

    async fn find_running_operation(&self) -> Result<Option<Operation>, DbError> {
        self.db
            .read(|conn| {
                let sql = format!("{SELECT_OPERATION} WHERE finished_at IS NULL ORDER BY seq LIMIT 1");
                conn.prepare_cached(&sql)?
                    .query_row([], |row| Ok(read_operation(row)))
                    .optional()?
                    .transpose()
            })
            .await
    }

    async fn advance_operation(
        &self,
        id: &str,
        cursor: Option<UserId>,
        sent: u64,
        finished_at: Option<Timestamp>,
    ) -> Result<(), DbError> {
        let (id, cursor) = (id.to_owned(), cursor.map(|user| user.to_string()));
        self.db
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE event_operations
                     SET cursor = coalesce(?2, cursor), sent = sent + ?3, finished_at = ?4 WHERE id = ?1",
                )?
                .execute(params![
                    id,
                    cursor,
                    signed(sent),
                    finished_at.map(Timestamp::as_millis)
                ])?;
                Ok(())
            })
            .await
    }

    async fn forget_operations(&self, before: Timestamp, limit: usize) -> Result<usize, DbError> {
        self.db
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "DELETE FROM event_operations WHERE seq IN
                         (SELECT seq FROM event_operations WHERE finished_at < ?1 LIMIT ?2)",
                    )?
                    .execute(params![before.as_millis(), signed(limit as u64)])?)
            })
            .await
    }
}

const SELECT_OPERATION: &str = "SELECT id, event_type, data, event_id, cursor, sent, created_at, finished_at
    FROM event_operations";

fn put_type(
    tx: &Transaction<'_>,
    new: &NewType,
    limit: u64,
    now: Timestamp,
) -> Result<Option<CatalogueType>, DbError> {
    let known: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM event_types WHERE name = ?1)")?
        .query_row([new.name.as_str()], |row| row.get(0))?;
    let count: i64 =
        tx.prepare_cached("SELECT count(*) FROM event_types")?.query_row([], |row| row.get(0))?;
    if !known && count >= signed(limit) {
        return Ok(None);
    }
    let schema = new.schema.as_ref().map(ToString::to_string);
    tx.prepare_cached(
        "INSERT INTO event_types (name, description, schema, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (name) DO UPDATE SET description = ?2, schema = ?3, updated_at = ?4
         RETURNING name, description, schema, created_at, updated_at",
    )?
    .query_row(params![new.name.as_str(), new.description, schema, now.as_millis()], read_type)?
    .map(Some)
}

fn insert_operation(
    tx: &Transaction<'_>,
    new: &NewOperation,
    running_max: usize,
) -> Result<Option<String>, DbError> {
    if let Some(event_id) = &new.event_id {
        let earlier = tx
            .prepare_cached("SELECT id FROM event_operations WHERE event_id = ?1")?
            .query_row([event_id], |row| row.get::<_, String>(0))
            .optional()?;
        if earlier.is_some() {
            return Ok(earlier);
        }
    }
    let running: i64 = tx
        .prepare_cached("SELECT count(*) FROM event_operations WHERE finished_at IS NULL")?
        .query_row([], |row| row.get(0))?;
    if running >= signed(running_max as u64) {
        return Ok(None);
    }
    tx.prepare_cached(
        "INSERT INTO event_operations (id, event_type, data, event_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        new.id,
        new.event_type.as_str(),
        new.data,
        new.event_id,
        new.created_at.as_millis()
    ])?;
    Ok(Some(new.id.clone()))
}

fn read_type(row: &Row<'_>) -> rusqlite::Result<Result<CatalogueType, DbError>> {
    let name: String = row.get(0)?;
    let schema: Option<String> = row.get(2)?;
    let (description, created_at, updated_at) = (row.get(1)?, row.get(3)?, row.get(4)?);
    let build = || {
        Ok(CatalogueType {
            name: name.parse().map_err(|_| corrupt("event type"))?,
            description,
            schema: schema
                .map(|text| serde_json::from_str(&text).map(Arc::new).map_err(|_| corrupt("schema")))
                .transpose()?,
            own: false,
            created_at: Some(Timestamp::from_millis(created_at)),
            updated_at: Some(Timestamp::from_millis(updated_at)),
        })
    };
    Ok(build())
}

fn read_operation(row: &Row<'_>) -> Result<Operation, DbError> {
    let finished_at: Option<i64> = row.get(7)?;
    let cursor: Option<String> = row.get(4)?;
    Ok(Operation {
        id: row.get(0)?,
        event_type: row.get::<_, String>(1)?.parse().map_err(|_| corrupt("event type"))?,
        data: row.get(2)?,
        event_id: row.get(3)?,
        cursor: cursor.map(|text| text.parse().map_err(|_| corrupt("cursor"))).transpose()?,
        sent: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
        created_at: Timestamp::from_millis(row.get(6)?),
        state: if finished_at.is_some() { OperationState::Done } else { OperationState::Running },
        finished_at: finished_at.map(Timestamp::from_millis),
    })
}

fn offset(stored: i64) -> Result<Offset, DbError> {
    u64::try_from(stored).ok().and_then(Offset::new).ok_or_else(|| corrupt("offset"))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn corrupt(what: &str) -> DbError {
    DbError::Bug(format!("a stored {what} cannot be read"))
}
