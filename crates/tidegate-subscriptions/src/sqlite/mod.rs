//! The tables of this crate in the embedded database.

mod read;
mod write;

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use tidegate_db::{Db, DbError, OpenError};
use tidegate_types::{StreamPath, Timestamp};

use crate::store::{Bounds, Inserted, NewRow, SigningRow, SubscriptionsStore, Touched};
use crate::{Link, Owner, Subscription, SubscriptionId, SubscriptionUid};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The store of subscriptions in SQLite.
#[derive(Clone, Debug)]
pub struct SqliteSubscriptions {
    db: Db,
}

impl SqliteSubscriptions {
    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A migration fails.
    pub async fn open(db: Db) -> Result<Self, OpenError> {
        db.migrate("subscriptions", embedded::migrations::runner()).await?;
        Ok(Self { db })
    }
}

#[async_trait]
impl SubscriptionsStore for SqliteSubscriptions {
    async fn insert(&self, new: NewRow, bounds: Bounds) -> Result<Inserted, DbError> {
        self.db.write(move |tx| write::insert(tx, &new, bounds)).await
    }

    async fn find_by_id(&self, id: &SubscriptionId) -> Result<Option<Subscription>, DbError> {
        let id = id.to_string();
        self.db.read(move |conn| read::one(conn, "id = ?1", params![id])).await
    }

    async fn lookup(&self, uid: SubscriptionUid) -> Result<Option<Subscription>, DbError> {
        self.db.read(move |conn| read::one(conn, "uid = ?1", params![uid.0])).await
    }

    async fn list(
        &self,
        owner: Option<&Owner>,
        after: Option<SubscriptionUid>,
        limit: usize,
    ) -> Result<Vec<Subscription>, DbError> {
        let owner = owner.map(|owner| owner.as_str().to_owned());
        let (after, limit) = (after.map_or(0, |uid| uid.0), signed(limit as u64));
        self.db
            .read(move |conn| {
                let rest = "uid > ?1 AND (?2 IS NULL OR owner = ?2) ORDER BY uid LIMIT ?3";
                read::many(conn, rest, params![after, owner, limit])
            })
            .await
    }

    async fn delete(&self, uid: SubscriptionUid) -> Result<bool, DbError> {
        self.db
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM subscription_streams WHERE uid = ?1")?.execute([uid.0])?;
                Ok(tx.prepare_cached("DELETE FROM subscriptions WHERE uid = ?1")?.execute([uid.0])? > 0)
            })
            .await
    }

    async fn list_links(&self, uid: SubscriptionUid) -> Result<Vec<Link>, DbError> {
        self.db.read(move |conn| read::links(conn, uid)).await
    }

    async fn add_links(&self, uid: SubscriptionUid, links: Vec<Link>, limit: u64) -> Result<bool, DbError> {
        let done = self.db.write(move |tx| write::add_links(tx, uid, &links, limit)).await;
        match done {
            Ok(()) => Ok(true),
            Err(write::AddError::Full) => Ok(false),
            Err(write::AddError::Db(error)) => Err(error),
        }
    }

    async fn remove_named(&self, uid: SubscriptionUid, path: &StreamPath) -> Result<(), DbError> {
        let path = path.clone();
        self.db
            .write(move |tx| {
                let key = params![uid.0, path.as_str()];
                tx.prepare_cached(
                    "DELETE FROM subscription_streams WHERE uid = ?1 AND path = ?2 AND matched = 0",
                )?
                .execute(key)?;
                tx.prepare_cached("UPDATE subscription_streams SET named = 0 WHERE uid = ?1 AND path = ?2")?
                    .execute(key)?;
                Ok(())
            })
            .await
    }

    async fn save(
        &self,
        subscription: &Subscription,
        links: Vec<Link>,
        gone: Vec<StreamPath>,
    ) -> Result<bool, DbError> {
        let subscription = subscription.clone();
        self.db.write(move |tx| write::save(tx, &subscription, &links, &gone)).await
    }

    async fn find_touched(&self, paths: Vec<StreamPath>) -> Result<Touched, DbError> {
        self.db.read(move |conn| read::touched(conn, paths)).await
    }

    async fn has_wake_stream(&self, paths: Vec<StreamPath>) -> Result<bool, DbError> {
        self.db.read(move |conn| Ok(!read::wake_streams(conn, &paths)?.is_empty())).await
    }

    async fn list_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Vec<SubscriptionUid>, Option<Timestamp>), DbError> {
        self.db.read(move |conn| read::due(conn, now, limit)).await
    }

    async fn take_delivery(&self, now: Timestamp, again: Timestamp) -> Result<Option<Subscription>, DbError> {
        let due = self
            .db
            .read(move |conn| {
                conn.prepare_cached(read::FIRST_DELIVERY)?
                    .query_row([now.as_millis()], |row| row.get::<_, i64>(0))
                    .optional()
                    .map_err(DbError::from)
            })
            .await?;
        // Most looks find nothing: the writer is asked only when there is something.
        if due.is_none() {
            return Ok(None);
        }
        self.db.write(move |tx| write::take_delivery(tx, now, again)).await
    }

    async fn list_keys(&self) -> Result<Vec<SigningRow>, DbError> {
        self.db.read(read::keys).await
    }

    async fn insert_key(&self, key: SigningRow, forget_before: Timestamp) -> Result<(), DbError> {
        self.db
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM subscription_keys WHERE created_at < ?1")?
                    .execute([forget_before.as_millis()])?;
                tx.prepare_cached(
                    "INSERT INTO subscription_keys (kid, public, sealed, created_at) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    key.kid,
                    key.public,
                    key.sealed,
                    key.created_at.as_millis()
                ])?;
                Ok(())
            })
            .await
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn corrupt(what: &str) -> DbError {
    DbError::Bug(format!("a stored {what} cannot be read"))
}
