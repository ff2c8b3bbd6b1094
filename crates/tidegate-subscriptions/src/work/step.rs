//! Background work in bounded rounds: who is concerned by what moved, and what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_types::{Offset, StreamPath, Timestamp};

use crate::model::takes;
use crate::{Link, Subscription, SubscriptionUid, Subscriptions, SubscriptionsError};

const DUE_PER_ROUND: usize = 64;
const LOOKED_AT_PER_ROUND: usize = 16;
const IDLE: Duration = Duration::from_secs(30);

impl Subscriptions {
    /// One bounded round: wakes whoever has something new, ends leases that have run out, tells
    /// workers. Answers when to call again; [`Subscriptions::woken`] tells of work before that.
    ///
    /// # Errors
    /// The database or a stream failed; nothing is lost, call again later.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, SubscriptionsError> {
        if self.inner.reach.get().is_none() {
            return Ok(now.plus(IDLE));
        }
        let changes = self.parts().log.take_changes();
        if changes.and_others {
            self.doubt();
        }
        if let Err(error) = self.touch(changes.paths, now).await {
            // What moved is known to nobody any more.
            self.doubt();
            return Err(error);
        }
        let more = self.go_round(now).await?;
        let (due, next) = self.store().list_due(now, DUE_PER_ROUND).await?;
        // What was done may have made more to do: the end of a lease is the beginning of the next wake.
        let more = more || !due.is_empty();
        let mut failed = None;
        for uid in due {
            // One that fails holds up no other.
            if let Err(error) = self.do_due(uid, now).await {
                failed = Some(error);
            }
        }
        match failed {
            Some(error) => Err(error),
            None if more => Ok(now),
            None => Ok(next.unwrap_or(now.plus(IDLE)).min(now.plus(IDLE))),
        }
    }

    /// Returns when there is new work for [`Subscriptions::step`].
    pub async fn woken(&self) {
        tokio::select! {
            () = self.parts().log.changed() => {}
            () = self.inner.wakes.notified() => {}
        }
    }

    /// Wakes whoever has, or matches, one of these streams.
    async fn touch(&self, paths: Vec<StreamPath>, now: Timestamp) -> Result<(), SubscriptionsError> {
        if paths.is_empty() {
            return Ok(());
        }
        let touched = self.store().find_touched(paths.clone()).await?;
        let mut concerned: BTreeSet<SubscriptionUid> =
            touched.linked.iter().filter(|(_, _, idle)| *idle).map(|(uid, _, _)| *uid).collect();
        let known: BTreeSet<(SubscriptionUid, StreamPath)> =
            touched.linked.into_iter().map(|(uid, path, _)| (uid, path)).collect();
        let mut fresh: BTreeMap<SubscriptionUid, Vec<Link>> = BTreeMap::new();
        for path in paths.iter().filter(|path| !touched.wake_streams.contains(path)) {
            for (uid, pattern) in &touched.patterns {
                if takes(pattern, path)
                    && !known.contains(&(*uid, path.clone()))
                    && let Some(link) = self.fresh_link(path).await?
                {
                    fresh.entry(*uid).or_default().push(link);
                }
            }
        }
        for (uid, links) in fresh {
            self.link(uid, links).await?;
            concerned.insert(uid);
        }
        for uid in concerned {
            self.examine(uid, now).await?;
        }
        Ok(())
    }

    /// A stream that was made after the subscription: nothing of it was worked on.
    async fn fresh_link(&self, path: &StreamPath) -> Result<Option<Link>, SubscriptionsError> {
        let info = self.parts().log.lookup(path).await?;
        Ok(info.map(|info| Link {
            path: path.clone(),
            named: false,
            matched: true,
            stream: Some(info.id),
            acked: Offset::START,
            snapshot: None,
        }))
    }

    async fn link(&self, uid: SubscriptionUid, links: Vec<Link>) -> Result<(), SubscriptionsError> {
        let _held = self.inner.locks.lock(uid).await;
        let limit = self.parts().limits.subscription_streams;
        if self.store().lookup(uid).await?.is_some() && !self.store().add_links(uid, links, limit).await? {
            tracing::warn!(
                subscription = uid.0,
                limit,
                "a pattern matches more streams than a subscription may have; new ones are left out"
            );
        }
        Ok(())
    }

    /// Looks at all subscriptions, a few at a time, when hints were lost or there were none yet.
    async fn go_round(&self, now: Timestamp) -> Result<bool, SubscriptionsError> {
        let after = *self.round();
        if after.is_none() && !self.inner.unsure.swap(false, Ordering::AcqRel) {
            return Ok(false);
        }
        let page = self.store().list(None, after, LOOKED_AT_PER_ROUND).await.inspect_err(|_| self.doubt())?;
        let more = page.len() == LOOKED_AT_PER_ROUND;
        *self.round() = page.last().map(|subscription| subscription.uid).filter(|_| more);
        for subscription in page {
            let uid = subscription.uid;
            let looked = async {
                self.discover(&subscription).await?;
                self.examine(uid, now).await
            };
            looked.await.inspect_err(|_| self.doubt())?;
        }
        Ok(more)
    }

    /// Links streams that the pattern takes and nobody told of.
    async fn discover(&self, subscription: &Subscription) -> Result<(), SubscriptionsError> {
        let Some(pattern) = &subscription.pattern else { return Ok(()) };
        let limit = self.parts().limits.subscription_streams;
        let Some(found) = self.list_matching(pattern, limit).await? else {
            tracing::warn!(subscription = %subscription.id, limit, "a pattern matches more streams than a subscription may have; new ones are left out");
            return Ok(());
        };
        let known: BTreeSet<StreamPath> =
            self.store().list_links(subscription.uid).await?.into_iter().map(|link| link.path).collect();
        let mut links = Vec::new();
        for info in found.into_iter().filter(|info| !known.contains(&info.path)) {
            links.extend(self.fresh_link(&info.path).await?);
        }
        if links.is_empty() { Ok(()) } else { self.link(subscription.uid, links).await }
    }
}
