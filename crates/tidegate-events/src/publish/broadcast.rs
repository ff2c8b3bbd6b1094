//! To everybody, in the background: a row says how far it is, so that a restart goes on there.

use serde_json::value::RawValue;
use tidegate_types::{FeedEventId, Timestamp};

use super::record::encode;
use super::{Operation, Publish, Published};
use crate::store::NewOperation;
use crate::{Events, EventsError, PublishError};

const RUNNING_MAX: usize = 100;
const USERS_PER_BATCH: usize = 200;

impl Events {
    pub(super) async fn start_broadcast(&self, publish: Publish) -> Result<Published, PublishError> {
        let parts = &self.inner.parts;
        let now = parts.clock.now();
        let new = NewOperation {
            id: FeedEventId::generate(now, &*parts.entropy).to_string(),
            event_type: publish.event_type,
            data: publish.data.get().to_owned(),
            event_id: publish.id,
            created_at: now,
        };
        let id = parts.store.insert_operation(&new, RUNNING_MAX).await?;
        let id = id.ok_or(PublishError::TooManyBroadcasts)?;
        self.inner.work.notify_one();
        Ok(Published { offsets: Vec::new(), operation: Some(id) })
    }

    /// Sends the oldest broadcast to its next users; answers whether there may be more to do.
    pub(crate) async fn step_broadcast(&self, now: Timestamp) -> Result<bool, EventsError> {
        let parts = &self.inner.parts;
        let Some(operation) = parts.store.find_running_operation().await? else { return Ok(false) };
        let users = parts.users.list_users(operation.cursor, USERS_PER_BATCH).await?;
        self.send_batch(&operation, &users).await?;
        let finished_at = (users.len() < USERS_PER_BATCH).then_some(now);
        let cursor = users.last().copied();
        parts.store.advance_operation(&operation.id, cursor, users.len() as u64, finished_at).await?;
        Ok(true)
    }

    async fn send_batch(
        &self,
        operation: &Operation,
        users: &[tidegate_types::UserId],
    ) -> Result<(), EventsError> {
        let data = RawValue::from_string(operation.data.clone());
        let data = data.map_err(|error| EventsError::internal(&error))?;
        // Without an id of its own the event has that of its broadcast, so that a batch that was
        // cut off can be sent again.
        let id = operation.event_id.as_deref().unwrap_or(&operation.id);
        let record = encode(&operation.event_type, &data, Some(id), operation.created_at)?;
        self.send_all(users, &record, Some(id)).await.map(|_| ())
    }
}
