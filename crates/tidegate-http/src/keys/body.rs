//! A key on the wire.

use serde::Serialize;
use tidegate_gate::{Key, Scope};
use tidegate_types::{KeyId, Timestamp, UserId};

/// A key, without its secret.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct KeyBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: KeyId,
    /// What it is called.
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// Whose it is; null for a key of the installation, made by an admin.
    #[schema(value_type = Option<String>, format = "uuid")]
    owner_id: Option<UserId>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Since when it does not work any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Key> for KeyBody {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            name: key.name.to_string(),
            scopes: key.scopes.to_vec(),
            owner_id: key.owner,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}
