//! How principals stand, in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_db::{Db, DbError};
use tidegate_types::{KeyId, SessionId, Timestamp, UserId};
use uuid::Uuid;

use crate::store::Standing;
use crate::{Principal, Role, Scope};

pub(super) async fn of_user(
    db: &Db,
    user: UserId,
    session: Option<SessionId>,
) -> Result<Option<Standing>, DbError> {
    db.read(move |conn| of_user_in(conn, user, session)).await
}

/// How a principal stands, as a running transaction sees it.
pub(super) fn find_in(conn: &Connection, principal: &Principal) -> Result<Option<Standing>, DbError> {
    match principal {
        Principal::Anonymous => Ok(None),
        Principal::User(user) => of_user_in(conn, user.user_id, user.session_id),
        Principal::Service(service) => of_key_in(conn, service.key_id),
    }
}

fn of_user_in(
    conn: &Connection,
    user: UserId,
    session: Option<SessionId>,
) -> Result<Option<Standing>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT u.role, u.email, u.disabled_at IS NOT NULL,
                    CASE WHEN s.ended_at IS NULL THEN s.expires_at END
             FROM users u LEFT JOIN sessions s ON s.id = ?2 AND s.user_id = u.id
             WHERE u.id = ?1",
    )?;
    let found = statement.query_row(params![user.as_uuid(), session.map(SessionId::as_uuid)], |row| {
        let role: String = row.get(0)?;
        let email: String = row.get(1)?;
        Ok(Standing::User {
            // The column's own check lets no other word in.
            role: role.parse().unwrap_or(Role::User),
            email: email.into(),
            disabled: row.get(2)?,
            session_until: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
        })
    });
    Ok(found.optional()?)
}

pub(super) async fn of_key(db: &Db, key: KeyId) -> Result<Option<Standing>, DbError> {
    db.read(move |conn| of_key_in(conn, key)).await
}

fn of_key_in(conn: &Connection, key: KeyId) -> Result<Option<Standing>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT k.name, k.scopes, k.owner, coalesce(u.disabled_at IS NOT NULL, 0),
                    k.expires_at, k.revoked_at IS NOT NULL
             FROM api_keys k LEFT JOIN users u ON u.id = k.owner WHERE k.id = ?1",
    )?;
    Ok(statement.query_row([key.as_uuid()], key_standing).optional()?)
}

fn key_standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let name: String = row.get(0)?;
    let scopes: String = row.get(1)?;
    // A scope that this version does not know grants nothing.
    let scopes: Vec<String> = serde_json::from_str(&scopes).unwrap_or_default();
    let scopes: Vec<Scope> = scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
    Ok(Standing::Key {
        name: name.into(),
        scopes: scopes.into(),
        owner: row.get::<_, Option<Uuid>>(2)?.map(UserId::from),
        owner_disabled: row.get(3)?,
        until: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
        revoked: row.get(5)?,
    })
}
