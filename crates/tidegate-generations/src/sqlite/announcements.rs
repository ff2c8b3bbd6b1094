//! What is still to be told to owners.

use rusqlite::{Connection, Transaction, params};
use tidegate_db::DbError;

use super::{corrupt, count, read};
use crate::Announcement;
use crate::announce::known_event_type;

pub(super) fn insert(tx: &Transaction<'_>, announcement: &Announcement) -> Result<(), DbError> {
    tx.prepare_cached(
        "INSERT INTO generation_announcements (owner_id, generation_id, event_type, event_id, data)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        announcement.owner.to_string(),
        announcement.generation.as_str(),
        announcement.event_type,
        announcement.id.as_deref().unwrap_or_default(),
        announcement.data.to_string(),
    ])?;
    Ok(())
}

pub(super) fn list(conn: &Connection, limit: usize) -> Result<Vec<(i64, Announcement)>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, owner_id, generation_id, event_type, event_id, data FROM generation_announcements
         ORDER BY seq LIMIT ?1",
    )?;
    let mut rows = statement.query([count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let announcement = Announcement {
            owner: row.get::<_, String>(1)?.parse().map_err(|_| corrupt("owner"))?,
            generation: read::id(&row.get::<_, String>(2)?)?,
            event_type: known_event_type(&row.get::<_, String>(3)?).ok_or_else(|| corrupt("event type"))?,
            id: Some(row.get(4)?),
            data: read::json(&row.get::<_, String>(5)?)?,
        };
        found.push((row.get(0)?, announcement));
    }
    Ok(found)
}
