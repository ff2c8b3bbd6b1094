//! An account as an operator sees it.

use serde::Serialize;
use tidegate_gate::User;
use tidegate_types::{Timestamp, UserId};
use utoipa::ToSchema;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    #[schema(value_type = String)]
    pub(super) id: UserId,
    /// Empty if an outside issuer names none.
    email: String,
    name: Option<String>,
    /// `user` or `admin`.
    role: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when nobody may sign in with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email.to_string(),
            name: user.name,
            role: user.role.as_str(),
            created_at: user.created_at,
            disabled_at: user.disabled_at,
        }
    }
}
