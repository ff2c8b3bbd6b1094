//! API keys and the notes of signed messages in SQLite.

use rusqlite::{OptionalExtension as _, Row, params};
use tidegate_db::{Db, DbError};
use tidegate_types::{KeyId, Timestamp, UserId};
use uuid::Uuid;

use super::{append_audit_in, corrupt, insert_revocations_in};
use crate::audit::AuditRow;
use crate::revocation::NewRevocation;
use crate::store::KeyRow;
use crate::{Key, Scope};

const COLUMNS: &str =
    "id, digest, name, scopes, owner, signing, created_at, expires_at, last_used_at, revoked_at";

pub(super) async fn insert(db: &Db, row: KeyRow, audit: Vec<AuditRow>) -> Result<bool, DbError> {
    let scopes = serde_json::to_string(&*row.key.scopes).map_err(|_| corrupt("scope"))?;
    db.write(move |tx| {
        let key = &row.key;
        let owner = key.owner.map(UserId::as_uuid);
        let known: bool = tx
            .prepare_cached("SELECT ?1 IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = ?1)")?
            .query_row([owner], |row| row.get(0))?;
        if !known {
            return Ok(false);
        }
        tx.prepare_cached(&format!(
            "INSERT INTO api_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL)"
        ))?
        .execute(params![
            key.id.as_uuid(),
            row.digest,
            &*key.name,
            scopes,
            owner,
            row.signing,
            key.created_at.as_millis(),
            key.expires_at.map(Timestamp::as_millis),
        ])?;
        append_audit_in(tx, &audit)?;
        Ok(true)
    })
    .await
}

pub(super) async fn lookup(db: &Db, id: KeyId) -> Result<Option<KeyRow>, DbError> {
    db.read(move |conn| {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys WHERE id = ?1"))?
            .query_row([id.as_uuid()], |row| Ok(read(row)))
            .optional()?
            .transpose()
    })
    .await
}

pub(super) async fn find_by_digest(db: &Db, digest: [u8; 32]) -> Result<Option<KeyRow>, DbError> {
    db.read(move |conn| {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys WHERE digest = ?1"))?
            .query_row([digest], |row| Ok(read(row)))
            .optional()?
            .transpose()
    })
    .await
}

pub(super) async fn list(db: &Db, owner: Option<UserId>) -> Result<Vec<KeyRow>, DbError> {
    db.read(move |conn| {
        conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM api_keys WHERE ?1 IS NULL OR owner = ?1 ORDER BY id DESC LIMIT 1000"
        ))?
        .query_map([owner.map(UserId::as_uuid)], |row| Ok(read(row)))?
        .collect::<Result<Result<Vec<_>, _>, _>>()?
    })
    .await
}

pub(super) async fn revoke(
    db: &Db,
    id: KeyId,
    now: Timestamp,
    audit: Vec<AuditRow>,
) -> Result<Option<NewRevocation>, DbError> {
    db.write(move |tx| {
        let changed = tx
            .prepare_cached("UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
            .execute(params![id.as_uuid(), now.as_millis()])?;
        if changed == 0 {
            return Ok(None);
        }
        let revoked = NewRevocation::key(id, now);
        insert_revocations_in(tx, &[revoked])?;
        append_audit_in(tx, &audit)?;
        Ok(Some(revoked))
    })
    .await
}

pub(super) async fn touch(db: &Db, used: Vec<(KeyId, Timestamp)>) -> Result<(), DbError> {
    db.write(move |tx| {
        let mut update = tx.prepare_cached(
            "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?2) WHERE id = ?1",
        )?;
        for (id, at) in used {
            update.execute(params![id.as_uuid(), at.as_millis()])?;
        }
        Ok(())
    })
    .await
}

pub(super) async fn take_message(
    db: &Db,
    key: KeyId,
    digest: [u8; 32],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, DbError> {
    db.write(move |tx| {
        // A note that is over counts no more, whether it was swept or not.
        let taken = tx
            .prepare_cached(
                "INSERT INTO signed_messages (key_id, digest, expires_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key_id, digest) DO UPDATE SET expires_at = ?3 WHERE expires_at <= ?4",
            )?
            .execute(params![key.as_uuid(), digest, expires_at.as_millis(), now.as_millis()])?;
        Ok(taken == 1)
    })
    .await
}

pub(super) async fn sweep_messages(db: &Db, now: Timestamp, limit: u32) -> Result<u64, DbError> {
    db.write(move |tx| {
        let gone = tx
            .prepare_cached(
                "DELETE FROM signed_messages WHERE (key_id, digest) IN
                 (SELECT key_id, digest FROM signed_messages WHERE expires_at <= ?1
                  ORDER BY expires_at LIMIT ?2)",
            )?
            .execute(params![now.as_millis(), limit])?;
        Ok(u64::try_from(gone).unwrap_or(0))
    })
    .await
}

fn read(row: &Row<'_>) -> Result<KeyRow, DbError> {
    let scopes: String = row.get("scopes")?;
    let scopes: Vec<Scope> = serde_json::from_str(&scopes).map_err(|_| corrupt("scope"))?;
    let name: String = row.get("name")?;
    let signing: Option<Vec<u8>> = row.get("signing")?;
    let time = |column: &str| -> Result<Option<Timestamp>, DbError> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    Ok(KeyRow {
        key: Key {
            id: row.get::<_, Uuid>("id")?.into(),
            name: name.into(),
            scopes: scopes.into(),
            owner: row.get::<_, Option<Uuid>>("owner")?.map(UserId::from),
            created_at: Timestamp::from_millis(row.get("created_at")?),
            expires_at: time("expires_at")?,
            last_used_at: time("last_used_at")?,
            revoked_at: time("revoked_at")?,
            signs: signing.is_some(),
        },
        digest: row.get("digest")?,
        signing,
    })
}
