//! Sessions in SQLite.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use secrecy::{ExposeSecret as _, SecretString};
use tidegate_db::{Db, DbError};
use tidegate_types::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::users::read_user;
use super::{append_audit_in, corrupt, insert_revocations_in};
use crate::audit::{Actor, AuditEvent, AuditRow};
use crate::revocation::NewRevocation;
use crate::store::{EndWhich, RotateAttempt, Rotation, SessionRow};
use crate::{Session, User};

const COLUMNS: &str = "id, user_id, kind, cookie_digest, counter, rotated_at, access_ms, created_at, \
    last_used_at, expires_at, ended_at, user_agent, address";

/// Adds a session within a transaction of the caller.
pub(super) fn insert_session_in(tx: &Transaction<'_>, row: &SessionRow) -> Result<(), DbError> {
    let session = &row.session;
    tx.prepare_cached(&format!(
        "INSERT INTO sessions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    ))?
    .execute(params![
        session.id.as_uuid(),
        session.user_id.as_uuid(),
        session.kind,
        row.cookie_digest,
        row.counter,
        row.rotated_at.as_millis(),
        i64::try_from(row.access_ms).unwrap_or(i64::MAX),
        session.created_at.as_millis(),
        session.last_used_at.as_millis(),
        session.expires_at.as_millis(),
        row.ended_at.map(Timestamp::as_millis),
        session.user_agent,
        session.address,
    ])?;
    Ok(())
}

/// Ends the living sessions of a user but one, within a transaction of the caller; answers what
/// has to be revoked for it.
pub(super) fn end_alive_in(
    tx: &Transaction<'_>,
    user: UserId,
    keep: Option<SessionId>,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<NewRevocation>, DbError> {
    let mut update = tx.prepare_cached(
        "UPDATE sessions SET ended_at = ?3, end_reason = ?4
         WHERE user_id = ?1 AND ended_at IS NULL AND expires_at > ?3 AND id IS NOT ?2 RETURNING id",
    )?;
    let ended = update
        .query_map(params![user.as_uuid(), keep.map(SessionId::as_uuid), now.as_millis(), reason], |row| {
            row.get::<_, Uuid>(0)
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(ended.into_iter().map(|id| NewRevocation::session(id.into(), now)).collect())
}

pub(super) async fn insert(
    db: &Db,
    session: SessionRow,
    hash: SecretString,
    audit: Vec<AuditRow>,
) -> Result<bool, DbError> {
    db.write(move |tx| {
        let unchanged: bool = tx
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM users
                 WHERE id = ?1 AND disabled_at IS NULL AND password_hash = ?2)",
            )?
            .query_row(params![session.session.user_id.as_uuid(), hash.expose_secret()], |row| row.get(0))?;
        if unchanged {
            insert_session_in(tx, &session)?;
            append_audit_in(tx, &audit)?;
        }
        Ok(unchanged)
    })
    .await
}

pub(super) async fn lookup(db: &Db, id: SessionId) -> Result<Option<SessionRow>, DbError> {
    db.read(move |conn| {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"))?
            .query_row([id.as_uuid()], |row| Ok(read(row)))
            .optional()?
            .transpose()
    })
    .await
}

pub(super) async fn list(db: &Db, user: UserId, now: Timestamp) -> Result<Vec<SessionRow>, DbError> {
    db.read(move |conn| {
        conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 AND ended_at IS NULL AND expires_at > ?2
             ORDER BY created_at DESC LIMIT 1000"
        ))?
        .query_map(params![user.as_uuid(), now.as_millis()], |row| Ok(read(row)))?
        .collect::<Result<Result<Vec<_>, _>, _>>()?
    })
    .await
}

pub(super) async fn end(
    db: &Db,
    user: UserId,
    which: EndWhich,
    now: Timestamp,
    audit: Vec<AuditRow>,
) -> Result<Vec<NewRevocation>, DbError> {
    db.write(move |tx| {
        let revoked = match which {
            EndWhich::All => end_alive_in(tx, user, None, "ended", now)?,
            EndWhich::One(id) => end_one_in(tx, user, id, "ended", now)?,
        };
        if !revoked.is_empty() {
            insert_revocations_in(tx, &revoked)?;
            append_audit_in(tx, &audit)?;
        }
        Ok(revoked)
    })
    .await
}

fn end_one_in(
    tx: &Transaction<'_>,
    user: UserId,
    id: SessionId,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<NewRevocation>, DbError> {
    let ended = tx
        .prepare_cached(
            "UPDATE sessions SET ended_at = ?3, end_reason = ?4
             WHERE id = ?1 AND user_id = ?2 AND ended_at IS NULL",
        )?
        .execute(params![id.as_uuid(), user.as_uuid(), now.as_millis(), reason])?;
    Ok(if ended == 0 { Vec::new() } else { vec![NewRevocation::session(id, now)] })
}

/// A token session and its user, as a rotation needs them.
struct Family {
    user: User,
    counter: u32,
    rotated_at: Timestamp,
    access_ms: u64,
    expires_at: Timestamp,
    ended: Option<String>,
}

pub(super) async fn rotate(db: &Db, attempt: RotateAttempt) -> Result<Rotation, DbError> {
    db.write(move |tx| rotate_in(tx, attempt)).await
}

fn rotate_in(tx: &Transaction<'_>, attempt: RotateAttempt) -> Result<Rotation, DbError> {
    let Some(family) = family_in(tx, attempt.session)? else { return Ok(Rotation::Invalid) };
    if let Some(reason) = family.ended {
        // Whoever comes late to a family that was ended for reuse learns why it is gone.
        return Ok(if reason == "reuse" { Rotation::Reused(Vec::new()) } else { Rotation::Invalid });
    }
    let idle_ms = i64::try_from(attempt.idle_ms).unwrap_or(i64::MAX);
    let idle_since = attempt.now.as_millis().saturating_sub(family.rotated_at.as_millis());
    if attempt.now >= family.expires_at || idle_since >= idle_ms {
        return Ok(Rotation::Invalid);
    }
    if family.user.disabled_at.is_some() {
        return Ok(Rotation::Disabled);
    }
    let actor = Actor::User(family.user.id);
    let (access_ms, expires_at) = (family.access_ms, family.expires_at);
    let newest = |counter| Rotation::Newest { user: family.user.clone(), counter, access_ms, expires_at };
    if attempt.counter == family.counter && attempt.counter < u32::MAX {
        let next = attempt.counter + 1;
        advance_in(tx, &attempt, next)?;
        append_audit_in(tx, &[by(attempt.rotated, actor).at(attempt.now)])?;
        return Ok(newest(next));
    }
    // Only the token just before the newest may come again: had the newest been used, it would
    // not be the newest any more.
    let grace_ms = i64::try_from(attempt.grace_ms).unwrap_or(i64::MAX);
    if attempt.counter.checked_add(1) == Some(family.counter) && idle_since <= grace_ms {
        return Ok(newest(family.counter));
    }
    let revoked = end_one_in(tx, family.user.id, attempt.session, "reuse", attempt.now)?;
    insert_revocations_in(tx, &revoked)?;
    append_audit_in(tx, &[by(attempt.reused, actor).at(attempt.now)])?;
    Ok(Rotation::Reused(revoked))
}

fn by(mut event: AuditEvent, actor: Actor) -> AuditEvent {
    event.actor = actor;
    event
}

fn family_in(tx: &Transaction<'_>, session: SessionId) -> Result<Option<Family>, DbError> {
    tx.prepare_cached(
        "SELECT u.id AS u_id, u.email AS u_email, u.name AS u_name, u.role AS u_role,
            u.created_at AS u_created_at, u.disabled_at AS u_disabled_at,
            s.counter, s.rotated_at, s.access_ms, s.expires_at, s.ended_at, s.end_reason
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1 AND s.kind = 'token'",
    )?
    .query_row([session.as_uuid()], |row| Ok(read_family(row)))
    .optional()?
    .transpose()
}

fn read_family(row: &Row<'_>) -> Result<Family, DbError> {
    let ended_at: Option<i64> = row.get("ended_at")?;
    let reason: Option<String> = row.get("end_reason")?;
    Ok(Family {
        user: read_user(row, "u_")?,
        counter: row.get("counter")?,
        rotated_at: Timestamp::from_millis(row.get("rotated_at")?),
        access_ms: u64::try_from(row.get::<_, i64>("access_ms")?).map_err(|_| corrupt("token life"))?,
        expires_at: Timestamp::from_millis(row.get("expires_at")?),
        ended: ended_at.map(|_| reason.unwrap_or_default()),
    })
}

fn advance_in(tx: &Transaction<'_>, attempt: &RotateAttempt, next: u32) -> Result<(), DbError> {
    tx.prepare_cached("UPDATE sessions SET counter = ?2, rotated_at = ?3, last_used_at = ?3 WHERE id = ?1")?
        .execute(params![attempt.session.as_uuid(), next, attempt.now.as_millis()])?;
    Ok(())
}

pub(super) async fn touch(db: &Db, seen: Vec<(SessionId, Timestamp)>) -> Result<(), DbError> {
    db.write(move |tx| {
        let mut update =
            tx.prepare_cached("UPDATE sessions SET last_used_at = max(last_used_at, ?2) WHERE id = ?1")?;
        for (id, at) in seen {
            update.execute(params![id.as_uuid(), at.as_millis()])?;
        }
        Ok(())
    })
    .await
}

pub(super) async fn sweep(db: &Db, now: Timestamp, limit: u32) -> Result<u64, DbError> {
    db.write(move |tx| {
        let gone = tx
            .prepare_cached(
                "DELETE FROM sessions WHERE id IN
                 (SELECT id FROM sessions WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
            )?
            .execute(params![now.as_millis(), limit])?;
        Ok(u64::try_from(gone).unwrap_or(0))
    })
    .await
}

fn read(row: &Row<'_>) -> Result<SessionRow, DbError> {
    let kind: String = row.get("kind")?;
    Ok(SessionRow {
        session: Session {
            id: row.get::<_, Uuid>("id")?.into(),
            user_id: row.get::<_, Uuid>("user_id")?.into(),
            kind: if kind == "cookie" { "cookie" } else { "token" },
            created_at: Timestamp::from_millis(row.get("created_at")?),
            last_used_at: Timestamp::from_millis(row.get("last_used_at")?),
            expires_at: Timestamp::from_millis(row.get("expires_at")?),
            user_agent: row.get("user_agent")?,
            address: row.get("address")?,
        },
        cookie_digest: row.get("cookie_digest")?,
        counter: row.get("counter")?,
        rotated_at: Timestamp::from_millis(row.get("rotated_at")?),
        access_ms: u64::try_from(row.get::<_, i64>("access_ms")?).map_err(|_| corrupt("token life"))?,
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(Timestamp::from_millis),
    })
}
