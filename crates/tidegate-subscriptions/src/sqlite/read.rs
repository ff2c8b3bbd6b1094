//! Rows as values.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use tidegate_db::DbError;
use tidegate_log::StreamId;
use tidegate_types::{Offset, StreamPath, Timestamp};

use super::{corrupt, signed};
use crate::store::{SigningRow, Touched};
use crate::{Link, Owner, Phase, Progress, Subscription, SubscriptionUid, Target};

const SELECT: &str = "SELECT uid, id, owner, kind, target, pattern, lease_ms, description, config_digest,
    origin, created_at, version, failure, generation, phase, wake_id, cause, holder, attempts, due_at
    FROM subscriptions WHERE";

/// The webhook that waits longest.
pub(super) const FIRST_DELIVERY: &str = "SELECT uid FROM subscriptions
    WHERE due_at <= ?1 AND kind = 'webhook' AND phase = 'telling' ORDER BY due_at LIMIT 1";

pub(super) fn one(
    conn: &Connection,
    rest: &str,
    params: impl Params,
) -> Result<Option<Subscription>, DbError> {
    conn.prepare_cached(&format!("{SELECT} {rest}"))?
        .query_row(params, |row| Ok(subscription(row)))
        .optional()?
        .transpose()
}

pub(super) fn many(conn: &Connection, rest: &str, params: impl Params) -> Result<Vec<Subscription>, DbError> {
    conn.prepare_cached(&format!("{SELECT} {rest}"))?
        .query_map(params, |row| Ok(subscription(row)))?
        .collect::<Result<Result<Vec<_>, _>, _>>()?
}

fn subscription(row: &Row<'_>) -> Result<Subscription, DbError> {
    let (kind, target): (String, String) = (row.get(3)?, row.get(4)?);
    let pattern: Option<String> = row.get(5)?;
    Ok(Subscription {
        uid: SubscriptionUid(row.get(0)?),
        id: row.get::<_, String>(1)?.parse().map_err(|_| corrupt("subscription id"))?,
        owner: Owner::new(&row.get::<_, String>(2)?),
        target: match kind.as_str() {
            "webhook" => Target::Webhook(target.into()),
            _ => Target::PullWake(target.parse().map_err(|_| corrupt("wake stream"))?),
        },
        pattern: pattern.map(|text| text.parse().map_err(|_| corrupt("pattern"))).transpose()?,
        lease: Duration::from_millis(unsigned(row.get(6)?)),
        description: row.get(7)?,
        config_digest: row.get(8)?,
        origin: row.get(9)?,
        created_at: Timestamp::from_millis(row.get(10)?),
        version: unsigned(row.get(11)?),
        progress: Progress { failure: row.get(12)?, generation: unsigned(row.get(13)?), phase: phase(row)? },
    })
}

fn phase(row: &Row<'_>) -> Result<Phase, DbError> {
    let name: String = row.get(14)?;
    if name == "idle" {
        return Ok(Phase::Idle);
    }
    let wake: String = row.get(15)?;
    let due = || Ok::<_, DbError>(Timestamp::from_millis(row.get(19)?));
    Ok(match name.as_str() {
        "telling" => Phase::Telling {
            wake,
            cause: row.get::<_, String>(16)?.parse().map_err(|_| corrupt("stream path"))?,
            attempts: row.get(18)?,
            due: due()?,
        },
        "told" => Phase::Told { wake },
        "held" => Phase::Held { wake, holder: row.get(17)?, until: due()? },
        _ => return Err(corrupt("phase")),
    })
}

pub(super) fn links(conn: &Connection, uid: SubscriptionUid) -> Result<Vec<Link>, DbError> {
    conn.prepare_cached(
        "SELECT path, named, matched, stream, acked, snapshot FROM subscription_streams AS link
         WHERE uid = ?1 AND NOT EXISTS
            (SELECT 1 FROM subscriptions WHERE kind = 'pull-wake' AND target = link.path)
         ORDER BY path",
    )?
    .query_map([uid.0], |row| Ok(link(row)))?
    .collect::<Result<Result<Vec<_>, _>, _>>()?
}

fn link(row: &Row<'_>) -> Result<Link, DbError> {
    Ok(Link {
        path: row.get::<_, String>(0)?.parse().map_err(|_| corrupt("stream path"))?,
        named: row.get(1)?,
        matched: row.get(2)?,
        stream: row.get::<_, Option<i64>>(3)?.map(StreamId::new),
        acked: offset(row.get(4)?)?,
        snapshot: row.get::<_, Option<i64>>(5)?.map(offset).transpose()?,
    })
}

pub(super) fn touched(conn: &Connection, paths: Vec<StreamPath>) -> Result<Touched, DbError> {
    let wake_streams = wake_streams(conn, &paths)?;
    let mut touched = Touched::default();
    let mut linked = conn.prepare_cached(
        "SELECT uid, phase = 'idle' FROM subscription_streams JOIN subscriptions USING (uid) WHERE path = ?1",
    )?;
    for path in paths.into_iter().filter(|path| !wake_streams.contains(path)) {
        for row in linked.query_map([path.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (uid, idle) = row?;
            touched.linked.push((SubscriptionUid(uid), path.clone(), idle));
        }
    }
    let mut patterns =
        conn.prepare_cached("SELECT uid, pattern FROM subscriptions WHERE pattern IS NOT NULL")?;
    for row in patterns.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))? {
        let (uid, pattern) = row?;
        touched.patterns.push((SubscriptionUid(uid), pattern.parse().map_err(|_| corrupt("pattern"))?));
    }
    touched.wake_streams = wake_streams;
    Ok(touched)
}

pub(super) fn wake_streams(conn: &Connection, paths: &[StreamPath]) -> Result<Vec<StreamPath>, DbError> {
    let mut found = Vec::new();
    let mut known = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM subscriptions WHERE kind = 'pull-wake' AND target = ?1)",
    )?;
    for path in paths {
        if known.query_row([path.as_str()], |row| row.get::<_, bool>(0))? {
            found.push(path.clone());
        }
    }
    Ok(found)
}

pub(super) fn due(
    conn: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<(Vec<SubscriptionUid>, Option<Timestamp>), DbError> {
    let due = conn
        .prepare_cached(
            "SELECT uid FROM subscriptions
             WHERE due_at <= ?1 AND (phase = 'held' OR kind = 'pull-wake') ORDER BY due_at LIMIT ?2",
        )?
        .query_map(params![now.as_millis(), signed(limit as u64)], |row| row.get(0).map(SubscriptionUid))?
        .collect::<Result<Vec<_>, _>>()?;
    let next: Option<i64> = conn
        .prepare_cached("SELECT min(due_at) FROM subscriptions WHERE due_at > ?1")?
        .query_row([now.as_millis()], |row| row.get(0))?;
    Ok((due, next.map(Timestamp::from_millis)))
}

pub(super) fn keys(conn: &mut Connection) -> Result<Vec<SigningRow>, DbError> {
    let mut rows = conn.prepare_cached(
        "SELECT kid, public, sealed, created_at FROM subscription_keys ORDER BY created_at DESC",
    )?;
    let rows = rows.query_map([], |row| {
        Ok(SigningRow {
            kid: row.get(0)?,
            public: row.get(1)?,
            sealed: row.get(2)?,
            created_at: Timestamp::from_millis(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?)
}

fn offset(stored: i64) -> Result<Offset, DbError> {
    u64::try_from(stored).ok().and_then(Offset::new).ok_or_else(|| corrupt("offset"))
}

fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
