//! Who the users are: a question that the binary answers from the gate.

use async_trait::async_trait;
use tidegate_types::UserId;

use crate::EventsError;

/// The users of this server, as far as publishing needs them.
#[async_trait]
pub trait UserDirectory: Send + Sync {
    /// Users in the order of their ids, after the given one.
    ///
    /// # Errors
    /// The users cannot be read now.
    async fn list_users(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, EventsError>;

    /// Whether there is such a user.
    ///
    /// # Errors
    /// The users cannot be read now.
    async fn exists(&self, user: UserId) -> Result<bool, EventsError>;
}
