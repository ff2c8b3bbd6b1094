//! To users that are named.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use tidegate_types::{Offset, UserId};

use super::record::encode;
use super::{Audience, Publish, Published};
use crate::{Events, EventsError, OwnEvent, PublishError, feed};

/// Appends under way at once; enough to fill a group commit.
const AT_ONCE: usize = 64;
const ID_BYTES_MAX: usize = 128;

impl Events {
    /// Publishes an event: to users at once, to everybody in the background (the answer then
    /// names the broadcast). Either all named users exist or nobody is sent anything.
    ///
    /// # Errors
    /// Nobody or too many are named, a user is unknown, or the data does not match its schema.
    pub async fn publish(&self, publish: Publish) -> Result<Published, PublishError> {
        check_id(publish.id.as_deref())?;
        self.inner.catalogue.check(&publish.event_type, &publish.data)?;
        let users = match &publish.audience {
            Audience::Broadcast => return self.start_broadcast(publish).await,
            Audience::User(user) => vec![*user],
            Audience::Users(users) => self.named_once(users)?,
        };
        self.check_users(&publish.audience, &users).await?;
        let (now, id) = (self.inner.parts.clock.now(), publish.id.as_deref());
        let record = encode(&publish.event_type, &publish.data, id, now)?;
        let offsets = self.send_all(&users, &record, id).await?;
        Ok(Published { offsets: users.into_iter().zip(offsets).collect(), operation: None })
    }

    /// Publishes one of the server's own events to a user. With an id, the same one given again
    /// is not published again.
    ///
    /// # Errors
    /// The feed cannot be written.
    pub async fn publish_own(
        &self,
        user: UserId,
        event: OwnEvent,
        data: &Value,
        id: Option<&str>,
    ) -> Result<Offset, EventsError> {
        let event_type = event.as_str().parse().map_err(|error| EventsError::internal(&error))?;
        let data = serde_json::value::to_raw_value(data).map_err(|error| EventsError::internal(&error))?;
        let record = encode(&event_type, &data, id, self.inner.parts.clock.now())?;
        self.send(user, record, id).await
    }

    /// Appends the same record to many feeds; answers their offsets in order.
    pub(super) async fn send_all(
        &self,
        users: &[UserId],
        record: &Bytes,
        id: Option<&str>,
    ) -> Result<Vec<Offset>, EventsError> {
        // Collected first: nothing runs until `buffered` asks for it.
        let sends: Vec<_> = users.iter().map(|user| self.send(*user, record.clone(), id)).collect();
        stream::iter(sends).buffered(AT_ONCE).try_collect().await
    }

    async fn send(&self, user: UserId, record: Bytes, id: Option<&str>) -> Result<Offset, EventsError> {
        match id {
            None => feed::append(&self.inner.parts.log, user, record).await,
            Some(id) => self.send_once(user, record, id).await,
        }
    }

    fn named_once(&self, users: &[UserId]) -> Result<Vec<UserId>, PublishError> {
        let limit = self.inner.parts.limits.publish_users;
        if users.is_empty() {
            return Err(PublishError::NobodyNamed);
        }
        if users.len() as u64 > limit {
            return Err(PublishError::TooManyUsers { named: users.len(), limit });
        }
        let mut seen = HashSet::new();
        Ok(users.iter().copied().filter(|user| seen.insert(*user)).collect())
    }

    async fn check_users(&self, audience: &Audience, users: &[UserId]) -> Result<(), PublishError> {
        let checks: Vec<_> = users.iter().map(|user| self.inner.parts.users.exists(*user)).collect();
        let known: Vec<bool> = stream::iter(checks).buffered(AT_ONCE).try_collect().await?;
        let Some((user, _)) = users.iter().zip(known).find(|(_, known)| !known) else { return Ok(()) };
        let index = match audience {
            Audience::Users(named) => named.iter().position(|one| one == user),
            Audience::User(_) | Audience::Broadcast => None,
        };
        Err(PublishError::UnknownUser { index, user: *user })
    }
}

fn check_id(id: Option<&str>) -> Result<(), PublishError> {
    let fits = |id: &str| (1..=ID_BYTES_MAX).contains(&id.len()) && !id.chars().any(char::is_control);
    if id.is_none_or(fits) { Ok(()) } else { Err(PublishError::BadId) }
}
