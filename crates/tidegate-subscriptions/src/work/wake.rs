//! Beginning a wake, and writing where a subscription stands.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidegate_types::Timestamp;

use super::look::Standings;
use crate::progress::Retries;
use crate::{Subscription, SubscriptionUid, Subscriptions, SubscriptionsError};

impl Subscriptions {
    /// Begins a wake if none is under way and something is pending; answers whether it did.
    pub(crate) fn begin_wake(
        &self,
        subscription: &mut Subscription,
        standings: &mut Standings,
        now: Timestamp,
    ) -> bool {
        let Some(cause) = standings.first_pending().filter(|_| subscription.progress.is_idle()) else {
            return false;
        };
        let random: [u8; 16] = self.parts().entropy.array();
        let wake = format!("w_{}", URL_SAFE_NO_PAD.encode(random));
        subscription.progress.begin(wake, cause.clone(), now);
        standings.take_snapshot();
        true
    }

    /// Ends the wake; what is pending begins the next one at once. Answers whether it did.
    pub(crate) fn end_wake(
        &self,
        subscription: &mut Subscription,
        standings: &mut Standings,
        now: Timestamp,
    ) -> bool {
        subscription.progress.end();
        self.begin_wake(subscription, standings, now)
    }

    /// Writes where it stands. The subscription's lock must be held.
    pub(crate) async fn save(
        &self,
        subscription: &mut Subscription,
        standings: Standings,
    ) -> Result<(), SubscriptionsError> {
        let (links, gone) = standings.into_changes();
        if !self.store().save(subscription, links, gone).await? {
            return Err(SubscriptionsError::Raced);
        }
        subscription.version += 1;
        self.announce(subscription);
        Ok(())
    }

    /// Wakes a subscription that has something pending and no wake under way.
    pub(crate) async fn examine(
        &self,
        uid: SubscriptionUid,
        now: Timestamp,
    ) -> Result<(), SubscriptionsError> {
        let _held = self.inner.locks.lock(uid).await;
        let found = self.store().lookup(uid).await?;
        let Some(mut subscription) = found.filter(|subscription| subscription.progress.is_idle()) else {
            return Ok(());
        };
        let mut standings = self.look(&subscription).await?;
        if self.begin_wake(&mut subscription, &mut standings, now) {
            self.save(&mut subscription, standings).await?;
        }
        Ok(())
    }

    /// Somebody says that what failed may work now: tries at once.
    pub(crate) async fn try_again(&self, uid: SubscriptionUid) -> Result<(), SubscriptionsError> {
        let now = self.now();
        let _held = self.inner.locks.lock(uid).await;
        let Some(mut subscription) = self.store().lookup(uid).await? else { return Ok(()) };
        let mut standings = self.look(&subscription).await?;
        subscription.progress.retry(now);
        self.begin_wake(&mut subscription, &mut standings, now);
        self.save(&mut subscription, standings).await
    }

    pub(crate) fn retries(&self) -> Retries {
        let attempts = self.parts().limits.webhook_attempts;
        let [jitter] = self.parts().entropy.array();
        Retries { attempts_max: u32::try_from(attempts).unwrap_or(u32::MAX), jitter }
    }
}
