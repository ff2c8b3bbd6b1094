//! What is remembered of requests, in SQLite.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tidegate_db::{Db, DbError};
use tidegate_types::Timestamp;

use super::corrupt;
use crate::StoredAnswer;
use crate::store::{BeginRequest, Begun};

pub(super) async fn begin(db: &Db, begin: BeginRequest) -> Result<Begun, DbError> {
    db.write(move |tx| begin_in(tx, &begin)).await
}

struct Known {
    body: [u8; 32],
    begun_at: i64,
    expires_at: i64,
    status: Option<u16>,
    headers: Option<String>,
    answer: Option<Vec<u8>>,
}

fn begin_in(tx: &Transaction<'_>, begin: &BeginRequest) -> Result<Begun, DbError> {
    let known = tx
        .prepare_cached(
            "SELECT body, begun_at, expires_at, status, headers, answer
             FROM idempotent_requests WHERE digest = ?1",
        )?
        .query_row([begin.digest], |row| {
            Ok(Known {
                body: row.get(0)?,
                begun_at: row.get(1)?,
                expires_at: row.get(2)?,
                status: row.get(3)?,
                headers: row.get(4)?,
                answer: row.get(5)?,
            })
        })
        .optional()?;
    match known {
        Some(known) if known.expires_at > begin.now.as_millis() => {
            if known.body != begin.body {
                return Ok(Begun::Conflict);
            }
            if let Some(status) = known.status {
                let headers = serde_json::from_str(known.headers.as_deref().unwrap_or("[]"))
                    .map_err(|_| corrupt("answer"))?;
                let body = known.answer.unwrap_or_default();
                return Ok(Begun::Answered(StoredAnswer { status, headers, body }));
            }
            if known.begun_at >= begin.stuck_before.as_millis() {
                return Ok(Begun::InProgress);
            }
        }
        Some(_) | None => {}
    }
    note_in(tx, begin)?;
    Ok(Begun::Fresh)
}

fn note_in(tx: &Transaction<'_>, begin: &BeginRequest) -> Result<(), DbError> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO idempotent_requests (digest, token, body, begun_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        begin.digest,
        begin.token,
        begin.body,
        begin.now.as_millis(),
        begin.expires_at.as_millis()
    ])?;
    Ok(())
}

pub(super) async fn finish(db: &Db, token: [u8; 16], answer: StoredAnswer) -> Result<(), DbError> {
    let headers = serde_json::to_string(&answer.headers).map_err(|_| corrupt("answer"))?;
    db.write(move |tx| {
        tx.prepare_cached(
            "UPDATE idempotent_requests SET status = ?2, headers = ?3, answer = ?4 WHERE token = ?1",
        )?
        .execute(params![token, answer.status, headers, answer.body])?;
        Ok(())
    })
    .await
}

pub(super) async fn abandon(db: &Db, token: [u8; 16]) -> Result<(), DbError> {
    db.write(move |tx| {
        tx.prepare_cached("DELETE FROM idempotent_requests WHERE token = ?1 AND status IS NULL")?
            .execute([token])?;
        Ok(())
    })
    .await
}

pub(super) async fn sweep(db: &Db, now: Timestamp, limit: u32) -> Result<u64, DbError> {
    db.write(move |tx| {
        let gone = tx
            .prepare_cached(
                "DELETE FROM idempotent_requests WHERE digest IN
                 (SELECT digest FROM idempotent_requests WHERE expires_at <= ?1
                  ORDER BY expires_at LIMIT ?2)",
            )?
            .execute(params![now.as_millis(), limit])?;
        Ok(u64::try_from(gone).unwrap_or(0))
    })
    .await
}
