//! Records, read.

use rusqlite::{Connection, Row, named_params};
use tidegate_db::DbError;
use tidegate_types::{DocumentId, ErrorCode, Timestamp};

use super::{corrupt, count};
use crate::store::ListQuery;
use crate::{Document, Failure};

const SELECT: &str = "SELECT seq, id, owner_id, filename, media_type, size, sha256, status, stage, progress,
    message, error_code, error_message, attempt, pages, passages, text_bytes, created_at, updated_at,
    finished_at FROM documents";

pub(super) fn lookup(conn: &Connection, id: DocumentId) -> Result<Option<Document>, DbError> {
    let mut statement = conn.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

pub(super) fn list(conn: &Connection, query: &ListQuery) -> Result<Vec<(i64, Document)>, DbError> {
    let sql = format!("{SELECT} WHERE owner_id = :owner AND seq < :before ORDER BY seq DESC LIMIT :limit");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! {
        ":owner": query.owner.to_string(),
        ":before": query.before.unwrap_or(i64::MAX),
        ":limit": count(query.limit),
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get("seq")?, read(row)?));
    }
    Ok(found)
}

pub(super) fn list_unfinished(conn: &Connection, limit: usize) -> Result<Vec<DocumentId>, DbError> {
    let mut statement =
        conn.prepare_cached("SELECT id FROM documents WHERE status = 'processing' ORDER BY seq LIMIT ?1")?;
    let mut rows = statement.query([count(limit)])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(id(&row.get::<_, String>(0)?)?);
    }
    Ok(ids)
}

pub(super) fn list_untold(conn: &Connection, limit: usize) -> Result<Vec<Document>, DbError> {
    let sql = format!("{SELECT} WHERE told = 0 AND status <> 'processing' ORDER BY seq LIMIT ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<Document, DbError> {
    let size = |name: &str| u64::try_from(row.get::<_, i64>(name)?).map_err(|_| corrupt("size"));
    let code = row.get::<_, Option<String>>("error_code")?;
    let error = code.map(|code| {
        let code = ErrorCode::from_wire(&code).ok_or_else(|| corrupt("error code"))?;
        let message = row.get::<_, Option<String>>("error_message")?.unwrap_or_default();
        Ok::<_, DbError>(Failure { code, message })
    });
    Ok(Document {
        id: id(&text(row, "id")?)?,
        owner_id: text(row, "owner_id")?.parse().map_err(|_| corrupt("owner"))?,
        filename: row.get("filename")?,
        media_type: text(row, "media_type")?.parse().map_err(|_| corrupt("media type"))?,
        size: size("size")?,
        sha256: row.get("sha256")?,
        status: text(row, "status")?.parse().map_err(|_| corrupt("status"))?,
        stage: text(row, "stage")?.parse().map_err(|_| corrupt("stage"))?,
        progress: row.get("progress")?,
        message: row.get("message")?,
        error: error.transpose()?,
        attempt: row.get("attempt")?,
        pages: row.get("pages")?,
        passages: row.get("passages")?,
        text_bytes: size("text_bytes")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        updated_at: Timestamp::from_millis(row.get("updated_at")?),
        finished_at: row.get::<_, Option<i64>>("finished_at")?.map(Timestamp::from_millis),
    })
}

pub(super) fn id(text: &str) -> Result<DocumentId, DbError> {
    text.parse().map_err(|_| corrupt("document id"))
}

fn text(row: &Row<'_>, column: &str) -> Result<String, DbError> {
    Ok(row.get(column)?)
}
