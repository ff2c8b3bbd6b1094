//! Tickets, leases and tags in SQLite.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use tidegate_db::rusqlite::Connection;
use tidegate_db::{Db, DbError};
use tidegate_types::{LeaseId, Offset, TicketId, Timestamp};
use uuid::Uuid;

use super::{append_audit_in, insert_revocations_in};
use crate::audit::AuditRow;
use crate::connections::StreamKind;
use crate::revocation::NewRevocation;
use crate::tickets::{
    Decision, KillReason, NewTicket, OpenAttempt, Opening, OpeningDone, Refusal, StoredLease, StoredTicket,
    StreamRef, TicketKey, decide, opening_audit,
};

/// How long a dead lease is kept, so that its user is refused for the true reason.
const DEAD_KEPT_MS: i64 = 3_600_000;
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
        t.origin, t.origin_own, t.created_at, t.expires_at, t.spent_at,
        l.expires_at, l.presented, l.issued, l.connected_at, l.ended_at, l.takeovers, l.dead_at";

fn find_in(conn: &Connection, key: TicketKey) -> Result<Option<StoredTicket>, DbError> {
    let found = match key {
        TicketKey::Ticket(digest) => conn
            .prepare_cached(&format!(
                "{FIND} FROM tickets t LEFT JOIN leases l ON l.id = t.id WHERE t.digest = ?1"
            ))?
            .query_row([digest], stored_ticket),
        TicketKey::Handle(digest) => conn
            .prepare_cached(&format!(
                "{FIND} FROM leases l JOIN tickets t ON t.digest = l.ticket_digest WHERE l.handle_digest = ?1"
            ))?
            .query_row([digest], stored_ticket),
    };
    Ok(found.optional()?)
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
    let spent = row.get::<_, Option<i64>>(11)?.is_some();
    let lease = match maybe_time(12)? {
        None => None,
        Some(expires_at) => Some(StoredLease {
            expires_at,
            presented: unsigned(row.get(13)?),
            issued: unsigned(row.get(14)?),
            connected_at: time(15)?,
            ended_at: maybe_time(16)?,
            takeovers: takeovers_from(&row.get::<_, String>(17)?),
            dead: row.get::<_, Option<i64>>(18)?.is_some(),
        }),
    };
    Ok(StoredTicket { ticket, spent, lease })
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

/// SQLite has no unsigned numbers; offsets and tag numbers fit the signed ones.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn takeovers_from(text: &str) -> Vec<Timestamp> {
    let millis: Vec<i64> = serde_json::from_str(text).unwrap_or_default();
    millis.into_iter().map(Timestamp::from_millis).collect()
}

fn takeovers_to(times: &[Timestamp]) -> String {
    let millis: Vec<i64> = times.iter().map(|t| t.as_millis()).collect();
    serde_json::to_string(&millis).unwrap_or_else(|_| "[]".to_owned())
}

pub(super) async fn open(db: &Db, attempt: OpenAttempt) -> Result<Opening, DbError> {
    db.write(move |tx| open_in(tx, &attempt)).await
}

/// Reads, decides and writes on the one writer, so no other attempt can come between.
fn open_in(tx: &Transaction<'_>, attempt: &OpenAttempt) -> Result<Opening, DbError> {
    let Some(stored) = find_in(tx, attempt.key)? else { return Ok(Opening::Refused(Refusal::Unknown)) };
    let tag_number = match (attempt.tag, &stored.lease) {
        (Some(tag), Some(_)) => tag_number(tx, &stored, tag)?,
        _ => None,
    };
    let decision = decide(attempt, &stored, tag_number);
    append_audit_in(tx, &opening_audit(&decision, attempt, &stored))?;
    match decision {
        Decision::Refuse(refusal) => Ok(Opening::Refused(refusal)),
        Decision::Redeem => redeem(tx, attempt, stored),
        Decision::Kill(reason) => kill(tx, attempt, &stored, reason),
        Decision::Resume { presented, takes_over, takeovers } => {
            let Some(lease) = &stored.lease else { return Ok(Opening::Refused(Refusal::Unknown)) };
            let number = lease.issued + 1;
            tx.prepare_cached(
                "UPDATE leases SET presented = ?2, issued = ?3, connected_at = ?4, ended_at = NULL,
                                   takeovers = ?5, sweep_at = expires_at WHERE id = ?1",
            )?
            .execute(params![
                stored.ticket.id.as_uuid(),
                signed(presented),
                signed(number),
                attempt.now.as_millis(),
                takeovers_to(&takeovers)
            ])?;
            insert_tag(tx, stored.ticket.id, attempt.new_tag, number)?;
            Ok(Opening::Opened(OpeningDone {
                tag_number: number,
                resumed: true,
                took_over: takes_over,
                ends_at: lease.expires_at,
                ticket: stored.ticket,
            }))
        }
    }
}

fn tag_number(tx: &Transaction<'_>, stored: &StoredTicket, tag: [u8; 32]) -> Result<Option<u64>, DbError> {
    let mut statement =
        tx.prepare_cached("SELECT number FROM lease_tags WHERE lease_id = ?1 AND digest = ?2")?;
    Ok(statement
        .query_row(params![stored.ticket.id.as_uuid(), tag], |row| row.get(0).map(unsigned))
        .optional()?)
}

fn redeem(tx: &Transaction<'_>, attempt: &OpenAttempt, stored: StoredTicket) -> Result<Opening, DbError> {
    let now = attempt.now.as_millis();
    let spent = tx
        .prepare_cached("UPDATE tickets SET spent_at = ?2 WHERE digest = ?1 AND spent_at IS NULL")?
        .execute(params![stored.ticket.digest, now])?;
    if spent != 1 {
        // This one condition decides between racers, whatever was read before it.
        return Err(DbError::Bug("a spent ticket looked unspent".to_owned()));
    }
    let ends_at = attempt.now.plus(std::time::Duration::from_millis(attempt.bounds.life_ms));
    tx.prepare_cached(
        "INSERT INTO leases (id, ticket_digest, handle_digest, created_at, expires_at, presented,
                             issued, connected_at, takeovers, sweep_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 1, ?4, '[]', ?5)",
    )?
    .execute(params![
        stored.ticket.id.as_uuid(),
        stored.ticket.digest,
        attempt.handle,
        now,
        ends_at.as_millis()
    ])?;
    insert_tag(tx, stored.ticket.id, attempt.new_tag, 1)?;
    Ok(Opening::Opened(OpeningDone {
        ticket: stored.ticket,
        tag_number: 1,
        resumed: false,
        took_over: false,
        ends_at,
    }))
}

fn insert_tag(tx: &Transaction<'_>, id: TicketId, digest: [u8; 32], number: u64) -> Result<(), DbError> {
    tx.prepare_cached("INSERT INTO lease_tags (lease_id, digest, number) VALUES (?1, ?2, ?3)")?
        .execute(params![id.as_uuid(), digest, signed(number)])?;
    Ok(())
}

fn kill(
    tx: &Transaction<'_>,
    attempt: &OpenAttempt,
    stored: &StoredTicket,
    reason: KillReason,
) -> Result<Opening, DbError> {
    let lease = LeaseId::from(stored.ticket.id.as_uuid());
    let now = attempt.now.as_millis();
    tx.prepare_cached("UPDATE leases SET dead_at = ?2, sweep_at = ?3 WHERE id = ?1")?.execute(params![
        lease.as_uuid(),
        now,
        now.saturating_add(DEAD_KEPT_MS)
    ])?;
    insert_revocations_in(tx, &[NewRevocation::lease(lease, attempt.now)])?;
    Ok(Opening::Killed { lease, reason })
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

pub(super) async fn sweep(db: &Db, now: Timestamp, limit: u32) -> Result<u64, DbError> {
    db.write(move |tx| {
        let now = now.as_millis();
        let unspent = tx
            .prepare_cached(
                "DELETE FROM tickets WHERE digest IN (SELECT digest FROM tickets
                 WHERE spent_at IS NULL AND expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
            )?
            .execute(params![now, limit])?;
        let over: Vec<(Uuid, [u8; 32])> = tx
            .prepare_cached(
                "SELECT id, ticket_digest FROM leases WHERE sweep_at < ?1 ORDER BY sweep_at LIMIT ?2",
            )?
            .query_map(params![now, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (id, digest) in &over {
            // Its tags go with it.
            tx.prepare_cached("DELETE FROM leases WHERE id = ?1")?.execute([id])?;
            tx.prepare_cached("DELETE FROM tickets WHERE digest = ?1")?.execute([digest])?;
        }
        Ok(u64::try_from(unspent + over.len()).unwrap_or(0))
    })
    .await
}
