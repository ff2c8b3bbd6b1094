//! Records, written.

use rusqlite::{Connection, Transaction, named_params, params};
use tidegate_db::DbError;
use tidegate_types::{DocumentId, Timestamp, UserId};

use super::{number_of, passages, read, signed};
use crate::store::{Attempt, Finish, Report, Room};
use crate::{Document, Stage, Status};

pub(super) fn has_room(conn: &Connection, owner: UserId, bytes: u64, room: Room) -> Result<bool, DbError> {
    let (documents, total): (i64, i64) = conn
        .prepare_cached("SELECT count(*), coalesce(sum(size), 0) FROM documents WHERE owner_id = ?1")?
        .query_row([owner.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(documents < signed(room.documents) && total.saturating_add(signed(bytes)) <= signed(room.bytes))
}

pub(super) fn insert(tx: &Transaction<'_>, document: &Document, room: Room) -> Result<bool, DbError> {
    if !has_room(tx, document.owner_id, document.size, room)? {
        return Ok(false);
    }
    tx.prepare_cached(
        "INSERT INTO documents (id, owner_id, filename, media_type, size, sha256, status, stage, progress,
            message, attempt, passages, text_bytes, told, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, 0, 0, 0, 0, ?10, ?10)",
    )?
    .execute(params![
        document.id.to_string(),
        document.owner_id.to_string(),
        document.filename,
        document.media_type.as_str(),
        signed(document.size),
        document.sha256,
        document.status.as_str(),
        document.stage.as_str(),
        document.message,
        document.created_at.as_millis(),
    ])?;
    Ok(true)
}

pub(super) fn begin(
    tx: &Transaction<'_>,
    id: DocumentId,
    now: Timestamp,
) -> Result<Option<Attempt>, DbError> {
    let changed = tx
        .prepare_cached(
            "UPDATE documents SET attempt = attempt + 1, stage = ?2, progress = 0, pages = NULL, passages = 0,
                text_bytes = 0, updated_at = ?3
             WHERE id = ?1 AND status = 'processing'",
        )?
        .execute(params![id.to_string(), Stage::Opening.as_str(), now.as_millis()])?;
    if changed == 0 {
        return Ok(None);
    }
    if let Some(number) = number_of(tx, id)? {
        passages::remove_all(tx, number)?;
    }
    Ok(read::lookup(tx, id)?.map(|document| Attempt { document }))
}

pub(super) fn report(
    tx: &Transaction<'_>,
    id: DocumentId,
    report: &Report,
    now: Timestamp,
) -> Result<bool, DbError> {
    let changed = tx
        .prepare_cached(
            "UPDATE documents SET stage = :stage, progress = :progress, message = :message,
                pages = coalesce(:pages, pages), updated_at = :now
             WHERE id = :id AND status = 'processing'",
        )?
        .execute(named_params! {
            ":id": id.to_string(),
            ":stage": report.stage.as_str(),
            ":progress": report.progress,
            ":message": report.message,
            ":pages": report.pages,
            ":now": now.as_millis(),
        })?;
    Ok(changed > 0)
}

pub(super) fn finish(
    tx: &Transaction<'_>,
    id: DocumentId,
    finish: &Finish,
    now: Timestamp,
) -> Result<Option<Document>, DbError> {
    let (status, stage, error) = match finish {
        Finish::Ready => (Status::Ready, Stage::Ready, None),
        Finish::Failed(failure) => (Status::Failed, Stage::Failed, Some(failure)),
    };
    let changed = tx
        .prepare_cached(
            "UPDATE documents SET status = :status, stage = :stage,
                progress = CASE WHEN :code IS NULL THEN 1 ELSE progress END, message = :message,
                error_code = :code, error_message = :error, updated_at = :now, finished_at = :now
             WHERE id = :id AND status = 'processing'",
        )?
        .execute(named_params! {
            ":id": id.to_string(),
            ":status": status.as_str(),
            ":stage": stage.as_str(),
            ":message": error.map_or("Ready", |failure| failure.message.as_str()),
            ":code": error.map(|failure| failure.code.as_str()),
            ":error": error.map(|failure| failure.message.as_str()),
            ":now": now.as_millis(),
        })?;
    if changed == 0 {
        return Ok(None);
    }
    if error.is_some()
        && let Some(number) = number_of(tx, id)?
    {
        passages::remove_all(tx, number)?;
    }
    read::lookup(tx, id)
}
