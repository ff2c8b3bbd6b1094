//! Rows of conversations and turns, written.

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Serialize;
use tidegate_db::DbError;
use tidegate_types::ConversationId;

use super::read;
use crate::conversation::model::Conversation;
use crate::conversation::store::{EndTurn, Inserted, NewTurn, Numbered, Parent};

pub(super) fn insert(tx: &Transaction<'_>, new: &Conversation, most: u64) -> Result<Inserted, DbError> {
    if let Some(of) = new.chat_of
        && let Some(found) = read::find_chat(tx, new.owner_id, of)?
    {
        return Ok(Inserted::Existing(found.id));
    }
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM conversations WHERE owner_id = ?1 AND deleting = 0")?
        .query_row([new.owner_id.to_string()], |row| row.get(0))?;
    if u64::try_from(count).unwrap_or(u64::MAX) >= most {
        return Ok(Inserted::TooMany);
    }
    tx.prepare_cached(
        "INSERT INTO conversations
            (id, owner_id, title, document_ids, chat_of, last_turn, deleting, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?7)",
    )?
    .execute(params![
        new.id.to_string(),
        new.owner_id.to_string(),
        new.title,
        json(&new.document_ids)?,
        new.chat_of.map(|of| of.to_string()),
        new.created_at.as_millis(),
        new.updated_at.as_millis(),
    ])?;
    Ok(Inserted::New)
}

pub(super) fn mark_deleting(tx: &Transaction<'_>, id: ConversationId) -> Result<Option<u32>, DbError> {
    Ok(tx
        .prepare_cached(
            "UPDATE conversations SET deleting = 1 WHERE id = ?1 AND deleting = 0 RETURNING last_turn",
        )?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?)
}

pub(super) fn insert_turn(tx: &Transaction<'_>, new: &NewTurn) -> Result<Numbered, DbError> {
    let found: Option<(i64, u32)> = tx
        .prepare_cached("SELECT seq, last_turn FROM conversations WHERE id = ?1 AND deleting = 0")?
        .query_row([new.conversation_id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, last)) = found else { return Ok(Numbered::NoConversation) };
    if u64::from(last) >= new.most {
        return Ok(Numbered::TooMany);
    }
    let parent = match new.parent {
        Parent::Newest => newest(tx, seq)?,
        Parent::Of(parent) => parent,
    };
    if let Some(number) = parent
        && !exists(tx, seq, number)?
    {
        return Ok(Numbered::NoParent);
    }
    let number = last.saturating_add(1);
    tx.prepare_cached("UPDATE conversations SET last_turn = ?2, updated_at = ?3 WHERE seq = ?1")?
        .execute(params![seq, number, new.now.as_millis()])?;
    tx.prepare_cached(
        "INSERT INTO turns (conversation, number, parent, sibling_of, answerer, message, status, answer,
            citations, at_offset, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', '', '[]', 0, ?7)",
    )?
    .execute(params![
        seq,
        number,
        parent,
        new.sibling_of,
        new.answerer,
        new.message,
        new.now.as_millis()
    ])?;
    let row = read::lookup_turn(tx, new.conversation_id, number)?;
    row.map(Box::new)
        .map(Numbered::Turn)
        .ok_or_else(|| DbError::Bug("a turn that was written is not there".to_owned()))
}

fn newest(tx: &Transaction<'_>, seq: i64) -> Result<Option<u32>, DbError> {
    Ok(tx
        .prepare_cached("SELECT max(number) FROM turns WHERE conversation = ?1")?
        .query_row([seq], |row| row.get(0))?)
}

fn exists(tx: &Transaction<'_>, seq: i64, number: u32) -> Result<bool, DbError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM turns WHERE conversation = ?1 AND number = ?2")?
        .exists(params![seq, number])?)
}

pub(super) fn end_turn(tx: &Transaction<'_>, end: &EndTurn) -> Result<(), DbError> {
    tx.prepare_cached(
        "UPDATE turns SET status = ?3, answer = ?4, citations = ?5, ending = ?6, at_offset = ?7, finished_at = ?8
         WHERE conversation = (SELECT seq FROM conversations WHERE id = ?1) AND number = ?2 AND status = 'open'",
    )?
    .execute(params![
        end.conversation_id.to_string(),
        end.number,
        end.status.as_str(),
        end.answer,
        json(&end.citations)?,
        json(&end.ending)?,
        i64::try_from(end.offset.get()).unwrap_or(i64::MAX),
        end.now.as_millis(),
    ])?;
    Ok(())
}

pub(super) fn remove_turn(tx: &Transaction<'_>, id: ConversationId, number: u32) -> Result<(), DbError> {
    tx.prepare_cached(
        "DELETE FROM turns
         WHERE conversation = (SELECT seq FROM conversations WHERE id = ?1) AND number = ?2 AND status = 'open'",
    )?
    .execute(params![id.to_string(), number])?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Bug(error.to_string()))
}
