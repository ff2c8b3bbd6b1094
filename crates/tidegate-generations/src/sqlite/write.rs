//! Rows, written.

use rusqlite::{Transaction, named_params, params};
use serde_json::Value;
use tidegate_db::DbError;
use tidegate_types::Timestamp;

use super::{announcements, seq_of};
use crate::store::{Row, Save};

pub(super) fn save(tx: &Transaction<'_>, save: &Save) -> Result<(), DbError> {
    let row = &save.row;
    match seq_of(tx, &row.state.record.id)? {
        Some(seq) => update(tx, seq, row)?,
        None => insert(tx, row)?,
    }
    save.announcements.iter().try_for_each(|announcement| announcements::insert(tx, announcement))
}

fn insert(tx: &Transaction<'_>, row: &Row) -> Result<(), DbError> {
    let record = &row.state.record;
    tx.prepare_cached(
        "INSERT INTO generations (id, owner_id, framework, status, stage, progress, attempt, epoch,
            at_offset, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 1, 0, 0, ?6, ?6)",
    )?
    .execute(params![
        record.id.as_str(),
        record.owner_id.to_string(),
        record.framework,
        record.status.as_str(),
        record.stage,
        record.created_at.as_millis(),
    ])?;
    let seq = tx.last_insert_rowid();
    tx.prepare_cached(
        "INSERT INTO generation_origins (seq, title, prompt, options, document_ids, max_attempts, retry_of)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        seq,
        record.title,
        record.prompt,
        Value::from(record.options.clone()).to_string(),
        Value::from(record.document_ids.clone()).to_string(),
        record.max_attempts,
        record.retry_of.as_ref().map(|id| id.as_str()),
    ])?;
    update(tx, seq, row)
}

fn update(tx: &Transaction<'_>, seq: i64, row: &Row) -> Result<(), DbError> {
    let record = &row.state.record;
    let lease = row.lease.as_ref();
    tx.prepare_cached(
        "UPDATE generations SET status = :status, stage = :stage, progress = :progress, message = :message,
            result = :result, error = :error, attempt = :attempt, worker = :worker, epoch = :epoch,
            at_offset = :offset, updated_at = :updated_at, finished_at = :finished_at,
            lease_digest = :digest, lease_key = :key, lease_ms = :lasts, lease_expires_at = :expires_at
         WHERE seq = :seq AND at_offset <= :offset",
    )?
    .execute(named_params! {
        ":seq": seq,
        ":status": record.status.as_str(),
        ":stage": record.stage,
        ":progress": record.progress,
        ":message": record.message,
        ":result": record.result.as_ref().map(Value::to_string),
        ":error": record.error.as_ref().map(Value::to_string),
        ":attempt": record.attempt,
        ":worker": record.worker,
        ":epoch": signed(row.state.epoch),
        ":offset": signed(record.offset.get()),
        ":updated_at": record.updated_at.as_millis(),
        ":finished_at": record.finished_at.map(Timestamp::as_millis),
        ":digest": lease.map(|lease| lease.digest),
        ":key": lease.map(|lease| lease.key_id.to_string()),
        ":lasts": lease.map(|lease| i64::try_from(lease.lasts.as_millis()).unwrap_or(i64::MAX)),
        ":expires_at": lease.and_then(|lease| lease.expires_at).map(Timestamp::as_millis),
    })?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
