//! The principal inside a ticket: who minted it, kept as JSON beside the digest.

use serde::{Deserialize, Serialize};
use tidegate_db::DbError;
use tidegate_types::{KeyId, SessionId, Timestamp, UserId};

use crate::{Principal, Role, Scope, ServicePrincipal, UserPrincipal, Via};

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kept {
    User {
        user_id: UserId,
        session_id: Option<SessionId>,
        role: String,
        email: String,
        expires_at: Option<i64>,
    },
    Service {
        key_id: KeyId,
        name: String,
        scopes: Vec<String>,
        owner: Option<UserId>,
    },
}

/// The principal as a ticket keeps it; `None` for nobody.
pub(super) fn to_json(principal: &Principal) -> Option<String> {
    let kept = match principal {
        Principal::Anonymous => return None,
        Principal::User(user) => Kept::User {
            user_id: user.user_id,
            session_id: user.session_id,
            role: user.role.to_string(),
            email: user.email.to_string(),
            expires_at: user.expires_at.map(Timestamp::as_millis),
        },
        Principal::Service(service) => Kept::Service {
            key_id: service.key_id,
            name: service.name.to_string(),
            scopes: service.scopes.iter().map(ToString::to_string).collect(),
            owner: service.owner,
        },
    };
    serde_json::to_string(&kept).ok()
}

/// The principal as a ticket kept it.
pub(crate) fn from_json(text: &str) -> Result<Principal, DbError> {
    let broken = || DbError::Bug("a ticket's principal can't be read".to_owned());
    let kept: Kept = serde_json::from_str(text).map_err(|_| broken())?;
    Ok(match kept {
        Kept::User { user_id, session_id, role, email, expires_at } => Principal::User(UserPrincipal {
            user_id,
            session_id,
            role: role.parse::<Role>().map_err(|_| broken())?,
            email: email.into(),
            expires_at: expires_at.map(Timestamp::from_millis),
            via: Via::Ticket,
        }),
        Kept::Service { key_id, name, scopes, owner } => Principal::Service(ServicePrincipal {
            key_id,
            name: name.into(),
            scopes: scopes
                .iter()
                .map(|scope| scope.parse::<Scope>())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| broken())?
                .into(),
            owner,
        }),
    })
}
