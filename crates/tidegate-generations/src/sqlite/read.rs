//! Rows, read.

use std::time::Duration;

use rusqlite::{Connection, Row as SqlRow, named_params};
use serde::de::DeserializeOwned;
use tidegate_db::DbError;
use tidegate_types::{GenerationId, Offset, Timestamp};

use super::{corrupt, count};
use crate::store::{Lease, ListQuery, Row};
use crate::{Generation, Projection};

const SELECT: &str = "SELECT g.seq, g.id, g.owner_id, g.framework, g.status, g.stage, g.progress, g.message,
    g.result, g.error, g.attempt, g.worker, g.epoch, g.at_offset, g.created_at, g.updated_at, g.finished_at,
    g.lease_digest, g.lease_key, g.lease_ms, g.lease_expires_at,
    o.title, o.prompt, o.options, o.document_ids, o.max_attempts, o.retry_of
    FROM generations g JOIN generation_origins o ON o.seq = g.seq";

pub(super) fn lookup(conn: &Connection, id: &GenerationId) -> Result<Option<Row>, DbError> {
    let mut statement = conn.prepare_cached(&format!("{SELECT} WHERE g.id = ?1"))?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map(read).transpose()
}

pub(super) fn list(conn: &Connection, query: &ListQuery) -> Result<Vec<(i64, Row)>, DbError> {
    let sql = format!(
        "{SELECT} WHERE g.owner_id = :owner AND g.seq < :before
            AND (:status IS NULL OR g.status = :status)
            AND (:framework IS NULL OR g.framework = :framework)
         ORDER BY g.seq DESC LIMIT :limit"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! {
        ":owner": query.owner.to_string(),
        ":before": query.before.unwrap_or(i64::MAX),
        ":status": query.filter.status.map(crate::Status::as_str),
        ":framework": query.filter.framework,
        ":limit": count(query.limit),
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get("seq")?, read(row)?));
    }
    Ok(found)
}

fn read(row: &SqlRow<'_>) -> Result<Row, DbError> {
    let record = Generation {
        id: id(&text(row, "id")?)?,
        owner_id: text(row, "owner_id")?.parse().map_err(|_| corrupt("owner"))?,
        title: row.get("title")?,
        prompt: row.get("prompt")?,
        framework: row.get("framework")?,
        options: json(&text(row, "options")?)?,
        document_ids: json(&text(row, "document_ids")?)?,
        status: text(row, "status")?.parse().map_err(|_| corrupt("status"))?,
        stage: row.get("stage")?,
        progress: row.get("progress")?,
        message: row.get("message")?,
        result: optional_json(row, "result")?,
        error: optional_json(row, "error")?,
        attempt: row.get("attempt")?,
        max_attempts: row.get("max_attempts")?,
        worker: row.get("worker")?,
        retry_of: row.get::<_, Option<String>>("retry_of")?.as_deref().map(id).transpose()?,
        queue_place: None,
        offset: offset(row.get("at_offset")?)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        updated_at: Timestamp::from_millis(row.get("updated_at")?),
        finished_at: row.get::<_, Option<i64>>("finished_at")?.map(Timestamp::from_millis),
    };
    let epoch = u64::try_from(row.get::<_, i64>("epoch")?).map_err(|_| corrupt("epoch"))?;
    Ok(Row { state: Projection { record, epoch }, lease: read_lease(row)? })
}

fn read_lease(row: &SqlRow<'_>) -> Result<Option<Lease>, DbError> {
    let Some(digest) = row.get::<_, Option<[u8; 32]>>("lease_digest")? else { return Ok(None) };
    let lasts = u64::try_from(row.get::<_, i64>("lease_ms")?).map_err(|_| corrupt("lease"))?;
    Ok(Some(Lease {
        digest,
        key_id: text(row, "lease_key")?.parse().map_err(|_| corrupt("key id"))?,
        lasts: Duration::from_millis(lasts),
        expires_at: row.get::<_, Option<i64>>("lease_expires_at")?.map(Timestamp::from_millis),
    }))
}

pub(super) fn id(text: &str) -> Result<GenerationId, DbError> {
    text.parse().map_err(|_| corrupt("generation id"))
}

pub(super) fn offset(stored: i64) -> Result<Offset, DbError> {
    u64::try_from(stored).ok().and_then(Offset::new).ok_or_else(|| corrupt("offset"))
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|_| corrupt("JSON value"))
}

fn optional_json(row: &SqlRow<'_>, column: &str) -> Result<Option<serde_json::Value>, DbError> {
    row.get::<_, Option<String>>(column)?.as_deref().map(json).transpose()
}

fn text(row: &SqlRow<'_>, column: &str) -> Result<String, DbError> {
    Ok(row.get(column)?)
}
