//! Showing, listing and deleting.

use super::View;
use crate::{Owner, Subscription, SubscriptionId, SubscriptionUid, Subscriptions, SubscriptionsError};

impl Subscriptions {
    /// The subscription of this id.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn find_by_id(&self, id: &SubscriptionId) -> Result<Option<Subscription>, SubscriptionsError> {
        Ok(self.store().find_by_id(id).await?)
    }

    /// Subscriptions by number, after one: of one owner, or all.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn list(
        &self,
        owner: Option<&Owner>,
        after: Option<SubscriptionUid>,
        limit: usize,
    ) -> Result<Vec<Subscription>, SubscriptionsError> {
        Ok(self.store().list(owner, after, limit).await?)
    }

    /// A subscription with its streams as they are now.
    ///
    /// # Errors
    /// The database or a stream can't be read.
    pub async fn view(&self, subscription: Subscription) -> Result<View, SubscriptionsError> {
        let standings = self.look(&subscription).await?;
        Ok(View { streams: standings.all(), subscription })
    }

    /// Deletes a subscription; whoever works for it is fenced off. Answers whether it was there.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn delete(&self, uid: SubscriptionUid) -> Result<bool, SubscriptionsError> {
        let _held = self.inner.locks.lock(uid).await;
        Ok(self.store().delete(uid).await?)
    }
}
