//! Who the users are, as the events ask it.

use async_trait::async_trait;
use tidegate_events::{EventsError, UserDirectory};
use tidegate_gate::{Gate, GateError};
use tidegate_types::UserId;

/// The gate's users.
#[derive(Debug)]
pub(super) struct GateDirectory(pub(super) Gate);

#[async_trait]
impl UserDirectory for GateDirectory {
    async fn list_users(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, EventsError> {
        let users = self.0.list_users(after, limit).await.map_err(directory)?;
        Ok(users.into_iter().map(|user| user.id).collect())
    }

    async fn exists(&self, user: UserId) -> Result<bool, EventsError> {
        Ok(self.0.lookup_user(user).await.map_err(directory)?.is_some())
    }
}

fn directory(error: GateError) -> EventsError {
    match error {
        GateError::Db(error) => EventsError::Db(error),
        GateError::Config { .. } => EventsError::Stream { code: error.code(), detail: error.to_string() },
    }
}
