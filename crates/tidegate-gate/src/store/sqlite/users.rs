//! Accounts in SQLite.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use secrecy::{ExposeSecret as _, SecretString};
use tidegate_db::{Db, DbError};
use tidegate_types::{Timestamp, UserId};
use uuid::Uuid;

use super::sessions::{end_alive_in, insert_session_in};
use super::{append_audit_in, corrupt, insert_revocations_in};
use crate::audit::AuditRow;
use crate::revocation::NewRevocation;
use crate::store::{Identity, NewPassword, SessionRow, UserRow};
use crate::{Role, User};

const COLUMNS: &str =
    "id, email, email_key, name, role, password_hash, issuer, subject, created_at, disabled_at";

pub(super) async fn insert(
    db: &Db,
    user: UserRow,
    session: Option<SessionRow>,
    audit: Vec<AuditRow>,
) -> Result<bool, DbError> {
    db.write(move |tx| {
        if !insert_in(tx, &user)? {
            return Ok(false);
        }
        if let Some(session) = session {
            insert_session_in(tx, &session)?;
        }
        append_audit_in(tx, &audit)?;
        Ok(true)
    })
    .await
}

/// Adds the row; `false` if another account has the identity. The unique index decides, so that
/// of two at once one wins.
fn insert_in(tx: &Transaction<'_>, row: &UserRow) -> Result<bool, DbError> {
    let (email_key, hash, issuer, subject) = match &row.identity {
        Identity::Password { email_key, hash } => (Some(email_key), Some(hash.expose_secret()), None, None),
        Identity::Outside { issuer, subject } => (None, None, Some(issuer), Some(subject)),
    };
    let user = &row.user;
    let added = tx
        .prepare_cached(&format!(
            "INSERT INTO users ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT DO NOTHING"
        ))?
        .execute(params![
            user.id.as_uuid(),
            &*user.email,
            email_key,
            user.name,
            user.role.as_str(),
            hash,
            issuer,
            subject,
            user.created_at.as_millis(),
            user.disabled_at.map(Timestamp::as_millis),
        ])?;
    Ok(added == 1)
}

pub(super) async fn find_or_insert_outside(
    db: &Db,
    user: UserRow,
    audit: Vec<AuditRow>,
) -> Result<UserRow, DbError> {
    db.write(move |tx| {
        if insert_in(tx, &user)? {
            append_audit_in(tx, &audit)?;
            return Ok(user);
        }
        let Identity::Outside { issuer, subject } = &user.identity else {
            return Err(DbError::Bug("an account of ours was given as an outside one".to_owned()));
        };
        tx.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE issuer = ?1 AND subject = ?2"))?
            .query_row(params![issuer, subject], |row| Ok(read(row)))?
    })
    .await
}

pub(super) async fn lookup(db: &Db, id: UserId) -> Result<Option<UserRow>, DbError> {
    db.read(move |conn| {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = ?1"))?
            .query_row([id.as_uuid()], |row| Ok(read(row)))
            .optional()?
            .transpose()
    })
    .await
}

pub(super) async fn find_by_email(db: &Db, email_key: &str) -> Result<Option<UserRow>, DbError> {
    let email_key = email_key.to_owned();
    db.read(move |conn| {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE email_key = ?1"))?
            .query_row([email_key], |row| Ok(read(row)))
            .optional()?
            .transpose()
    })
    .await
}

pub(super) async fn list(db: &Db, after: Option<UserId>, limit: usize) -> Result<Vec<UserRow>, DbError> {
    db.read(move |conn| {
        let after = after.map_or(Uuid::nil(), UserId::as_uuid);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id > ?1 ORDER BY id LIMIT ?2"))?
            .query_map(params![after, limit], |row| Ok(read(row)))?
            .collect::<Result<Result<Vec<_>, _>, _>>()?
    })
    .await
}

pub(super) async fn set_disabled(
    db: &Db,
    id: UserId,
    disabled: bool,
    now: Timestamp,
    audit: Vec<AuditRow>,
) -> Result<Option<Vec<NewRevocation>>, DbError> {
    db.write(move |tx| {
        let changed = tx
            .prepare_cached(
                "UPDATE users SET disabled_at = CASE WHEN ?2 THEN coalesce(disabled_at, ?3) END WHERE id = ?1",
            )?
            .execute(params![id.as_uuid(), disabled, now.as_millis()])?;
        if changed == 0 {
            return Ok(None);
        }
        let mut revoked = Vec::new();
        if disabled {
            revoked = end_alive_in(tx, id, None, "disabled", now)?;
            revoked.push(NewRevocation::user(id, now));
            insert_revocations_in(tx, &revoked)?;
        }
        append_audit_in(tx, &audit)?;
        Ok(Some(revoked))
    })
    .await
}

pub(super) async fn set_role(
    db: &Db,
    id: UserId,
    role: Role,
    now: Timestamp,
    audit: Vec<AuditRow>,
) -> Result<Option<Vec<NewRevocation>>, DbError> {
    db.write(move |tx| {
        let changed = tx
            .prepare_cached("UPDATE users SET role = ?2 WHERE id = ?1")?
            .execute(params![id.as_uuid(), role.as_str()])?;
        if changed == 0 {
            return Ok(None);
        }
        let revoked = vec![NewRevocation::user(id, now)];
        insert_revocations_in(tx, &revoked)?;
        append_audit_in(tx, &audit)?;
        Ok(Some(revoked))
    })
    .await
}

pub(super) async fn set_password(
    db: &Db,
    new: NewPassword,
    audit: Vec<AuditRow>,
) -> Result<Option<Vec<NewRevocation>>, DbError> {
    db.write(move |tx| {
        let changed = tx
            .prepare_cached(
                "UPDATE users SET password_hash = ?2
                 WHERE id = ?1 AND email_key IS NOT NULL AND password_hash = coalesce(?3, password_hash)",
            )?
            .execute(params![
                new.user.as_uuid(),
                new.hash.expose_secret(),
                new.replaces.as_ref().map(SecretString::expose_secret),
            ])?;
        if changed == 0 {
            return Ok(None);
        }
        let revoked = end_alive_in(tx, new.user, new.keep, "password", new.now)?;
        insert_revocations_in(tx, &revoked)?;
        append_audit_in(tx, &audit)?;
        Ok(Some(revoked))
    })
    .await
}

/// What others may see of a user, from the named columns of a join.
pub(super) fn read_user(row: &Row<'_>, prefix: &str) -> Result<User, DbError> {
    let column = |name: &str| format!("{prefix}{name}");
    let role: String = row.get(&*column("role"))?;
    let email: String = row.get(&*column("email"))?;
    Ok(User {
        id: row.get::<_, Uuid>(&*column("id"))?.into(),
        email: email.into(),
        name: row.get(&*column("name"))?,
        role: role.parse().map_err(|_| corrupt("role"))?,
        created_at: Timestamp::from_millis(row.get(&*column("created_at"))?),
        disabled_at: row.get::<_, Option<i64>>(&*column("disabled_at"))?.map(Timestamp::from_millis),
    })
}

fn read(row: &Row<'_>) -> Result<UserRow, DbError> {
    let identity = match (row.get("email_key")?, row.get::<_, Option<String>>("password_hash")?) {
        (Some(email_key), Some(hash)) => Identity::Password { email_key, hash: hash.into() },
        _ => Identity::Outside { issuer: row.get("issuer")?, subject: row.get("subject")? },
    };
    Ok(UserRow { user: read_user(row, "")?, identity })
}
