//! What waits for workers.

use rusqlite::{Connection, OptionalExtension as _, named_params};
use tidegate_db::DbError;
use tidegate_types::GenerationId;

use super::{count, read};
use crate::store::{Claimable, ClaimableQuery};

pub(super) fn list(conn: &Connection, query: &ClaimableQuery) -> Result<Vec<Claimable>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, id FROM generations
         WHERE status = 'pending' AND seq > :after
            AND (:frameworks IS NULL OR framework IN (SELECT value FROM json_each(:frameworks)))
            AND (:owner IS NULL OR owner_id = :owner)
            AND (:id IS NULL OR id = :id)
         ORDER BY seq LIMIT :limit",
    )?;
    let frameworks =
        (!query.frameworks.is_empty()).then(|| serde_json::Value::from(query.frameworks.clone()).to_string());
    let mut rows = statement.query(named_params! {
        ":after": query.after,
        ":frameworks": frameworks,
        ":owner": query.owner.map(|owner| owner.to_string()),
        ":id": query.id.as_ref().map(GenerationId::as_str),
        ":limit": count(query.limit),
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Claimable { seq: row.get(0)?, id: read::id(&row.get::<_, String>(1)?)? });
    }
    Ok(found)
}

pub(super) fn queue_place(conn: &Connection, id: &GenerationId) -> Result<Option<u64>, DbError> {
    let place: Option<i64> = conn
        .prepare_cached(
            "SELECT (SELECT count(*) FROM generations w
                     WHERE w.status = 'pending' AND w.framework = g.framework AND w.seq <= g.seq)
             FROM generations g WHERE g.id = ?1 AND g.status = 'pending'",
        )?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    Ok(place.and_then(|place| u64::try_from(place).ok()))
}
