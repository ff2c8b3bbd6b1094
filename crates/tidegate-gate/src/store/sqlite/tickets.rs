//! Tickets, leases and tags in SQLite.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use tidegate_db::rusqlite::Connection;
use tidegate_db::{Db, DbError};
use tidegate_types::{LeaseId, Offset, TicketId, Timestamp};
use uuid::Uuid;

use super::append_audit_in;
use crate::audit::AuditRow;
use crate::connections::StreamKind;
use crate::tickets::{NewTicket, StoredLease, StoredTicket, StreamRef, TicketKey};

/// Slack before an idle lease is dropped.
const IDLE_SLACK_MS: i64 = 60_000;

pub(super) async fn insert(db: &Db, ticket: NewTicket, audit: AuditRow) -> Result<(), DbError> {
    db.write(move |tx| {
        tx.prepare_cached(
            "INSERT INTO tickets (digest, id, principal, stream_path, stream_id, kind, start,
                                  origin, origin_own, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            ticket.digest,
            ticket.id.as_uuid(),
            ticket.principal,
            ticket.stream.path.as_str(),
            ticket.stream.id,
            ticket.kind.as_str(),
            ticket.start.map(|start| signed(start.get())),
            ticket.origin,
            ticket.origin_own,
            ticket.created_at.as_millis(),
            ticket.expires_at.as_millis(),
        ])?;
        append_audit_in(tx, &[audit])
    })
    .await
}

pub(super) async fn find(db: &Db, key: TicketKey) -> Result<Option<StoredTicket>, DbError> {
    db.read(move |conn| find_in(conn, key)).await
}

const FIND: &str = "SELECT t.digest, t.id, t.principal, t.stream_path, t.stream_id, t.kind, t.start,
        t.origin, t.origin_own, t.created_at, t.expires_at,
        l.expires_at, l.presented, l.issued, l.connected_at, l.ended_at, l.takeovers, l.dead_at, l.first_tag
        FROM tickets t LEFT JOIN leases l ON l.id = t.id WHERE t.digest = ?1";

pub(super) fn find_in(conn: &Connection, key: TicketKey) -> Result<Option<StoredTicket>, DbError> {
    let found = conn.prepare_cached(FIND)?.query_row([key.digest()], stored_ticket).optional()?;
    // A handle is given out with the lease, and opens nothing before.
    Ok(found.filter(|stored| stored.lease.is_some() || matches!(key, TicketKey::Ticket(_))))
}

fn stored_ticket(row: &Row<'_>) -> rusqlite::Result<StoredTicket> {
    let time = |at: usize| row.get::<_, i64>(at).map(Timestamp::from_millis);
    let maybe_time = |at: usize| row.get::<_, Option<i64>>(at).map(|t| t.map(Timestamp::from_millis));
    let path: String = row.get(3)?;
    let kind: String = row.get(5)?;
    let ticket = NewTicket {
        digest: row.get(0)?,
        id: TicketId::from(row.get::<_, Uuid>(1)?),
        principal: row.get(2)?,
        stream: StreamRef { path: path.parse().map_err(|e| unreadable(3, e))?, id: row.get(4)? },
        // The column's own check lets no other word in.
        kind: StreamKind::from_word(&kind).unwrap_or(StreamKind::Stream),
        start: row.get::<_, Option<i64>>(6)?.and_then(|at| Offset::new(unsigned(at))),
        origin: row.get(7)?,
        origin_own: row.get(8)?,
        created_at: time(9)?,
        expires_at: time(10)?,
    };
    let lease = match maybe_time(11)? {
        None => None,
        Some(expires_at) => Some(StoredLease {
            expires_at,
            presented: unsigned(row.get(12)?),
            issued: unsigned(row.get(13)?),
            connected_at: time(14)?,
            ended_at: maybe_time(15)?,
            takeovers: takeovers_from(&row.get::<_, String>(16)?),
            dead: row.get::<_, Option<i64>>(17)?.is_some(),
            first_tag: row.get(18)?,
        }),
    };
    Ok(StoredTicket { ticket, lease })
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

/// SQLite has no unsigned numbers; offsets and tag numbers fit the signed ones.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn takeovers_from(text: &str) -> Vec<Timestamp> {
    let millis: Vec<i64> = serde_json::from_str(text).unwrap_or_default();
    millis.into_iter().map(Timestamp::from_millis).collect()
}

pub(super) fn takeovers_to(times: &[Timestamp]) -> String {
    let millis: Vec<i64> = times.iter().map(|t| t.as_millis()).collect();
    serde_json::to_string(&millis).unwrap_or_else(|_| "[]".to_owned())
}

pub(super) async fn end_leases(
    db: &Db,
    ended: Vec<(LeaseId, Timestamp)>,
    idle_ms: i64,
) -> Result<(), DbError> {
    db.write(move |tx| {
        // A connection that began meanwhile stands: its start is later than this end.
        let mut update = tx.prepare_cached(
            "UPDATE leases SET ended_at = ?2, sweep_at = min(expires_at, ?3)
             WHERE id = ?1 AND connected_at <= ?2 AND dead_at IS NULL",
        )?;
        for (lease, at) in &ended {
            let at = at.as_millis();
            let sweep_at = at.saturating_add(idle_ms).saturating_add(IDLE_SLACK_MS);
            update.execute(params![lease.as_uuid(), at, sweep_at])?;
        }
        Ok(())
    })
    .await
}

/// Where the look for tickets that ran out goes on: after this time and digest. Kept in memory: a new start
/// looks at all again.
#[derive(Debug)]
pub(super) struct SweptTo(Mutex<(i64, [u8; 32])>);

impl Default for SweptTo {
    fn default() -> Self {
        Self(Mutex::new((i64::MIN, [0; 32])))
    }
}

impl SweptTo {
    fn lock(&self) -> MutexGuard<'_, (i64, [u8; 32])> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn sweep(db: &Db, swept: &SweptTo, now: Timestamp, limit: u32) -> Result<u64, DbError> {
    let from = *swept.lock();
    let (looked_at, to) = db
        .write(move |tx| {
            let (looked_at, to) = sweep_unspent(tx, from, now.as_millis(), limit)?;
            Ok::<_, DbError>((looked_at.max(sweep_leases(tx, now.as_millis(), limit)?), to))
        })
        .await?;
    *swept.lock() = to;
    Ok(u64::try_from(looked_at).unwrap_or(0))
}

/// Drops tickets that ran out and were not spent. Answers how many it looked at, and where it came to.
fn sweep_unspent(
    tx: &Transaction<'_>,
    from: (i64, [u8; 32]),
    now: i64,
    limit: u32,
) -> Result<(usize, (i64, [u8; 32])), DbError> {
    let found: Vec<([u8; 32], i64, bool)> = tx
        .prepare_cached(
            "SELECT t.digest, t.expires_at, l.id IS NOT NULL FROM tickets t LEFT JOIN leases l ON l.id = t.id
             WHERE (t.expires_at, t.digest) > (?1, ?2) AND t.expires_at < ?3
             ORDER BY t.expires_at, t.digest LIMIT ?4",
        )?
        .query_map(params![from.0, from.1, now, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (digest, ..) in found.iter().filter(|(.., spent)| !spent) {
        tx.prepare_cached("DELETE FROM tickets WHERE digest = ?1")?.execute([digest])?;
    }
    let to = found.last().map_or(from, |(digest, at, _)| (*at, *digest));
    Ok((found.len(), to))
}

/// Drops leases that nobody may resume: those that ended or died long ago, and those whose life is over,
/// which is found by walking along those that are oldest.
fn sweep_leases(tx: &Transaction<'_>, now: i64, limit: u32) -> Result<usize, DbError> {
    let ended = "SELECT id, ticket_digest FROM leases
         WHERE (ended_at IS NOT NULL OR dead_at IS NOT NULL) AND sweep_at < ?1 ORDER BY sweep_at LIMIT ?2";
    let oldest =
        "SELECT id, ticket_digest FROM (SELECT * FROM leases ORDER BY id LIMIT ?2) WHERE sweep_at < ?1";
    let mut dropped = 0;
    for which in [ended, oldest] {
        let over: Vec<(Uuid, [u8; 32])> = tx
            .prepare_cached(which)?
            .query_map(params![now, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (id, digest) in &over {
            // Both at once: a ticket without its lease would be unspent. Its tags go with it.
            tx.prepare_cached("DELETE FROM tickets WHERE digest = ?1")?.execute([digest])?;
            tx.prepare_cached("DELETE FROM leases WHERE id = ?1")?.execute([id])?;
        }
        dropped = dropped.max(over.len());
    }
    Ok(dropped)
}
