//! Rows of conversations and turns, read.

use rusqlite::{Connection, Params, Row as SqlRow, params};
use serde::de::DeserializeOwned;
use tidegate_db::DbError;
use tidegate_types::{ConversationId, DocumentId, Offset, Timestamp, UserId};

use super::{corrupt, count};
use crate::conversation::model::{Conversation, TurnStatus};
use crate::conversation::store::TurnRow;

const CONVERSATION: &str =
    "SELECT seq, id, owner_id, title, document_ids, chat_of, last_turn, created_at, updated_at
    FROM conversations WHERE deleting = 0";
const TURN: &str = "SELECT c.id, t.number, t.parent, t.sibling_of, t.answerer, t.message, t.status, t.answer,
    t.citations, t.ending, t.at_offset, t.created_at, t.finished_at
    FROM turns t JOIN conversations c ON c.seq = t.conversation WHERE c.deleting = 0";

pub(super) fn lookup(conn: &Connection, id: ConversationId) -> Result<Option<Conversation>, DbError> {
    one(conn, &format!("{CONVERSATION} AND id = ?1"), [id.to_string()])
}

pub(super) fn find_chat(
    conn: &Connection,
    owner: UserId,
    of: DocumentId,
) -> Result<Option<Conversation>, DbError> {
    let sql = format!("{CONVERSATION} AND owner_id = ?1 AND chat_of = ?2");
    one(conn, &sql, [owner.to_string(), of.to_string()])
}

fn one(conn: &Connection, sql: &str, params: impl Params) -> Result<Option<Conversation>, DbError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    Ok(rows.next()?.map(conversation).transpose()?.map(|(_, found)| found))
}

pub(super) fn list(
    conn: &Connection,
    owner: UserId,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<(i64, Conversation)>, DbError> {
    let sql = format!("{CONVERSATION} AND owner_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![owner.to_string(), before.unwrap_or(i64::MAX), count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(conversation(row)?);
    }
    Ok(found)
}

pub(super) fn list_deleting(conn: &Connection, limit: usize) -> Result<Vec<(ConversationId, u32)>, DbError> {
    pairs(conn, "SELECT id, last_turn FROM conversations WHERE deleting = 1 ORDER BY seq LIMIT ?1", limit)
}

pub(super) fn list_open(conn: &Connection, limit: usize) -> Result<Vec<(ConversationId, u32)>, DbError> {
    let sql = "SELECT c.id, t.number FROM turns t JOIN conversations c ON c.seq = t.conversation
        WHERE t.status = 'open' AND c.deleting = 0 ORDER BY t.conversation, t.number LIMIT ?1";
    pairs(conn, sql, limit)
}

fn pairs(conn: &Connection, sql: &str, limit: usize) -> Result<Vec<(ConversationId, u32)>, DbError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((id(&row.get::<_, String>(0)?)?, row.get(1)?));
    }
    Ok(found)
}

pub(super) fn lookup_turn(
    conn: &Connection,
    id: ConversationId,
    number: u32,
) -> Result<Option<TurnRow>, DbError> {
    let mut statement = conn.prepare_cached(&format!("{TURN} AND c.id = ?1 AND t.number = ?2"))?;
    let mut rows = statement.query(params![id.to_string(), number])?;
    rows.next()?.map(turn).transpose()
}

pub(super) fn list_turns(
    conn: &Connection,
    id: ConversationId,
    after: u32,
    limit: usize,
) -> Result<Vec<TurnRow>, DbError> {
    let sql = format!("{TURN} AND c.id = ?1 AND t.number > ?2 ORDER BY t.number LIMIT ?3");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![id.to_string(), after, count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(turn(row)?);
    }
    Ok(found)
}

fn conversation(row: &SqlRow<'_>) -> Result<(i64, Conversation), DbError> {
    let chat_of = row.get::<_, Option<String>>("chat_of")?;
    let found = Conversation {
        id: id(&row.get::<_, String>("id")?)?,
        owner_id: row.get::<_, String>("owner_id")?.parse().map_err(|_| corrupt("owner"))?,
        title: row.get("title")?,
        document_ids: json(&row.get::<_, String>("document_ids")?)?,
        chat_of: chat_of.map(|text| text.parse().map_err(|_| corrupt("document id"))).transpose()?,
        turns: row.get("last_turn")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        updated_at: Timestamp::from_millis(row.get("updated_at")?),
    };
    Ok((row.get("seq")?, found))
}

pub(super) fn turn(row: &SqlRow<'_>) -> Result<TurnRow, DbError> {
    let ending = row.get::<_, Option<String>>("ending")?;
    Ok(TurnRow {
        conversation_id: id(&row.get::<_, String>("id")?)?,
        number: row.get("number")?,
        parent: row.get("parent")?,
        sibling_of: row.get("sibling_of")?,
        answerer: row.get("answerer")?,
        message: row.get("message")?,
        status: status(&row.get::<_, String>("status")?)?,
        answer: row.get("answer")?,
        citations: json(&row.get::<_, String>("citations")?)?,
        ending: ending.as_deref().map(json).transpose()?,
        offset: offset(row.get("at_offset")?)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        finished_at: row.get::<_, Option<i64>>("finished_at")?.map(Timestamp::from_millis),
    })
}

fn status(text: &str) -> Result<Option<TurnStatus>, DbError> {
    match text {
        "open" => Ok(None),
        "completed" => Ok(Some(TurnStatus::Completed)),
        "stopped" => Ok(Some(TurnStatus::Stopped)),
        "failed" => Ok(Some(TurnStatus::Failed)),
        _ => Err(corrupt("turn's status")),
    }
}

fn id(text: &str) -> Result<ConversationId, DbError> {
    text.parse().map_err(|_| corrupt("conversation id"))
}

fn offset(stored: i64) -> Result<Offset, DbError> {
    u64::try_from(stored).ok().and_then(Offset::new).ok_or_else(|| corrupt("offset"))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|_| corrupt("JSON value"))
}
