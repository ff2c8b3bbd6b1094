//! Naming streams, and taking that back.

use tidegate_types::StreamPath;

use crate::model::takes;
use crate::{StreamsError, SubscriptionUid, Subscriptions, SubscriptionsError};

impl Subscriptions {
    /// Adds streams by name, each read up to its present end. Streams that it has stay where they are.
    ///
    /// # Errors
    /// See [`StreamsError`]; none was added.
    pub async fn add_streams(&self, uid: SubscriptionUid, paths: &[StreamPath]) -> Result<(), StreamsError> {
        let limit = self.parts().limits.subscription_streams;
        if paths.len() as u64 > limit {
            return Err(StreamsError::TooMany(limit));
        }
        if self.store().has_wake_stream(paths.to_vec()).await? {
            return Err(StreamsError::WakeStream);
        }
        let _held = self.inner.locks.lock(uid).await;
        let subscription = self.store().lookup(uid).await?.ok_or(StreamsError::NotFound)?;
        let mut links = Vec::with_capacity(paths.len());
        for path in paths {
            let matched = subscription.pattern.as_ref().is_some_and(|pattern| takes(pattern, path));
            links.push(self.link_at_tail(path, true, matched).await?);
        }
        let fits = self.store().add_links(uid, links, limit).await?;
        if fits { Ok(()) } else { Err(StreamsError::TooMany(limit)) }
    }

    /// Takes back that a stream was named. It stays if the pattern takes it.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn remove_stream(
        &self,
        uid: SubscriptionUid,
        path: &StreamPath,
    ) -> Result<(), SubscriptionsError> {
        let _held = self.inner.locks.lock(uid).await;
        Ok(self.store().remove_named(uid, path).await?)
    }
}
