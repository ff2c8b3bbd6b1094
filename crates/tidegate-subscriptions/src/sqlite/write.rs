//! Values as rows.

use rusqlite::{Transaction, params};
use tidegate_db::DbError;
use tidegate_types::{StreamPath, Timestamp};

use super::{read, signed};
use crate::store::{Bounds, Inserted, NewRow};
use crate::{Link, Phase, Progress, Subscription, SubscriptionUid};

pub(super) fn insert(tx: &Transaction<'_>, new: &NewRow, bounds: Bounds) -> Result<Inserted, DbError> {
    let subscription = &new.subscription;
    if let Some(known) = read::one(tx, "id = ?1", params![subscription.id.as_str()])? {
        return Ok(Inserted::Known(known));
    }
    let (of_owner, of_node): (i64, i64) = tx
        .prepare_cached("SELECT count(*) FILTER (WHERE owner = ?1), count(*) FROM subscriptions")?
        .query_row([subscription.owner.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if of_node >= signed(bounds.of_node) {
        return Ok(Inserted::NodeFull);
    }
    if of_owner >= signed(bounds.of_owner) {
        return Ok(Inserted::OwnerFull);
    }
    let Subscription { id, owner, target, pattern, lease, description, config_digest, origin, .. } =
        subscription;
    tx.prepare_cached(
        "INSERT INTO subscriptions
            (id, owner, kind, target, pattern, lease_ms, description, config_digest, origin, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        id.as_str(),
        owner.as_str(),
        target.kind(),
        target.as_str(),
        pattern.as_ref().map(tidegate_types::StreamPattern::as_str),
        i64::try_from(lease.as_millis()).unwrap_or(i64::MAX),
        description,
        config_digest,
        origin,
        subscription.created_at.as_millis(),
    ])?;
    let uid = SubscriptionUid(tx.last_insert_rowid());
    for link in &new.links {
        put_link(tx, uid, link)?;
    }
    Ok(Inserted::New(Subscription { uid, version: 0, ..subscription.clone() }))
}

/// Why streams were not added.
pub(super) enum AddError {
    Full,
    Db(DbError),
}

impl From<DbError> for AddError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<tidegate_db::rusqlite::Error> for AddError {
    fn from(error: tidegate_db::rusqlite::Error) -> Self {
        Self::Db(error.into())
    }
}

pub(super) fn add_links(
    tx: &Transaction<'_>,
    uid: SubscriptionUid,
    links: &[Link],
    limit: u64,
) -> Result<(), AddError> {
    let mut add = tx.prepare_cached(
        "INSERT INTO subscription_streams (uid, path, named, matched, stream, acked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (uid, path) DO UPDATE SET named = max(named, ?3), matched = max(matched, ?4)",
    )?;
    for link in links {
        let stream = link.stream.map(tidegate_log::StreamId::get);
        let acked = signed(link.acked.get());
        add.execute(params![uid.0, link.path.as_str(), link.named, link.matched, stream, acked])?;
    }
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM subscription_streams WHERE uid = ?1")?
        .query_row([uid.0], |row| row.get(0))?;
    if count > signed(limit) { Err(AddError::Full) } else { Ok(()) }
}

fn put_link(tx: &Transaction<'_>, uid: SubscriptionUid, link: &Link) -> Result<(), DbError> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO subscription_streams (uid, path, named, matched, stream, acked, snapshot)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        uid.0,
        link.path.as_str(),
        link.named,
        link.matched,
        link.stream.map(tidegate_log::StreamId::get),
        signed(link.acked.get()),
        link.snapshot.map(|offset| signed(offset.get())),
    ])?;
    Ok(())
}

pub(super) fn save(
    tx: &Transaction<'_>,
    subscription: &Subscription,
    links: &[Link],
    gone: &[StreamPath],
) -> Result<bool, DbError> {
    let Progress { generation, phase, failure } = &subscription.progress;
    let (name, cause, holder, attempts) = match phase {
        Phase::Idle => ("idle", None, None, 0),
        Phase::Telling { cause, attempts, .. } => ("telling", Some(cause.as_str()), None, *attempts),
        Phase::Told { .. } => ("told", None, None, 0),
        Phase::Held { holder, .. } => ("held", None, holder.as_deref(), 0),
    };
    let saved = tx
        .prepare_cached(
            "UPDATE subscriptions SET version = version + 1, failure = ?3, generation = ?4, phase = ?5,
                wake_id = ?6, cause = ?7, holder = ?8, attempts = ?9, due_at = ?10
             WHERE uid = ?1 AND version = ?2",
        )?
        .execute(params![
            subscription.uid.0,
            signed(subscription.version),
            failure,
            signed(*generation),
            name,
            subscription.progress.wake(),
            cause,
            holder,
            attempts,
            subscription.progress.due().map(Timestamp::as_millis),
        ])?;
    if saved == 0 {
        return Ok(false);
    }
    for link in links {
        put_link(tx, subscription.uid, link)?;
    }
    for path in gone {
        tx.prepare_cached("DELETE FROM subscription_streams WHERE uid = ?1 AND path = ?2")?
            .execute(params![subscription.uid.0, path.as_str()])?;
    }
    Ok(true)
}

pub(super) fn take_delivery(
    tx: &Transaction<'_>,
    now: Timestamp,
    again: Timestamp,
) -> Result<Option<Subscription>, DbError> {
    let sql = format!(
        "UPDATE subscriptions SET attempts = attempts + 1, due_at = ?2, version = version + 1
         WHERE uid = ({}) RETURNING uid",
        read::FIRST_DELIVERY
    );
    let mut take = tx.prepare_cached(&sql)?;
    let mut rows = take.query(params![now.as_millis(), again.as_millis()])?;
    let uid: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
    drop(rows);
    match uid {
        Some(uid) => read::one(tx, "uid = ?1", params![uid]),
        None => Ok(None),
    }
}
