//! Making a subscription, or finding it made.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tidegate_types::{Offset, StreamPath};

use super::Confirmed;
use crate::model::{NewTarget, takes};
use crate::store::{Bounds, Inserted, NewRow};
use crate::{
    CreateError, Link, NewSubscription, Progress, Subscription, SubscriptionUid, Subscriptions, Target,
    WebhookUrl,
};

const DESCRIPTION_BYTES_MAX: usize = 1_024;
const LEASE_MS_MIN: u128 = 1_000;

impl Subscriptions {
    /// Makes a subscription whose streams count as read up to now. One that is there already, of
    /// the same owner and settings, is confirmed; if its wakes could not be told, they are tried again.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub async fn create(&self, new: NewSubscription) -> Result<Confirmed, CreateError> {
        let target = self.check(&new)?;
        let lease = new.lease.unwrap_or(Duration::from_millis(self.parts().limits.subscription_lease_ms));
        let config_digest = digest(&new, &target, lease);
        if let Some(known) = self.store().find_by_id(&new.id).await? {
            return self.confirm(known, &new, config_digest).await;
        }
        // Before the ends of streams are read, so that nothing after them is missed.
        self.parts().log.watch_changes(true);
        let links = self.first_links(&new).await?;
        let subscription = Subscription {
            uid: SubscriptionUid(0),
            id: new.id.clone(),
            owner: new.owner.clone(),
            target,
            pattern: new.pattern.clone(),
            lease,
            description: new.description.clone(),
            config_digest,
            origin: new.origin.clone(),
            created_at: self.now(),
            version: 0,
            progress: Progress::default(),
        };
        let limits = &self.parts().limits;
        let bounds =
            Bounds { of_owner: limits.subscriptions_per_principal, of_node: limits.subscriptions_per_node };
        match self.store().insert(NewRow { subscription, links }, bounds).await? {
            Inserted::New(subscription) => {
                // A stream that was made between the look and the commit has told nobody.
                self.doubt();
                self.inner.wakes.notify_one();
                Ok(Confirmed { view: self.view(subscription).await?, created: true })
            }
            Inserted::Known(known) => self.confirm(known, &new, config_digest).await,
            Inserted::OwnerFull => Err(CreateError::OwnerFull(bounds.of_owner)),
            Inserted::NodeFull => Err(CreateError::NodeFull(bounds.of_node)),
        }
    }

    fn check(&self, new: &NewSubscription) -> Result<Target, CreateError> {
        let limits = &self.parts().limits;
        if new.pattern.is_none() && new.streams.is_empty() {
            return Err(CreateError::MatchesNothing);
        }
        let max_ms = limits.subscription_lease_ms_max;
        if new.lease.is_some_and(|lease| !(LEASE_MS_MIN..=u128::from(max_ms)).contains(&lease.as_millis())) {
            return Err(CreateError::Lease { max_ms });
        }
        if new.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
            return Err(CreateError::Description);
        }
        if new.streams.len() as u64 > limits.subscription_streams {
            return Err(CreateError::TooManyStreams(limits.subscription_streams));
        }
        match &new.target {
            NewTarget::PullWake(path) if new.streams.contains(path) => Err(CreateError::WakeStream),
            NewTarget::PullWake(path) => Ok(Target::PullWake(path.clone())),
            NewTarget::Webhook(_) if !self.parts().webhooks.enabled => Err(CreateError::WebhooksOff),
            NewTarget::Webhook(url) => Ok(WebhookUrl::parse(url, self.parts().webhooks)?.into()),
        }
    }

    async fn confirm(
        &self,
        known: Subscription,
        new: &NewSubscription,
        config_digest: [u8; 32],
    ) -> Result<Confirmed, CreateError> {
        if known.owner != new.owner || known.config_digest != config_digest {
            return Err(CreateError::Exists);
        }
        if known.progress.failure.is_some() {
            self.try_again(known.uid).await?;
        }
        let present = self.store().lookup(known.uid).await?.unwrap_or(known);
        Ok(Confirmed { view: self.view(present).await?, created: false })
    }

    /// The streams that it begins with, each read up to its present end.
    async fn first_links(&self, new: &NewSubscription) -> Result<Vec<Link>, CreateError> {
        if self.store().has_wake_stream(new.streams.clone()).await? {
            return Err(CreateError::WakeStream);
        }
        let limit = self.parts().limits.subscription_streams;
        let mut links = BTreeMap::new();
        for path in &new.streams {
            let matched = new.pattern.as_ref().is_some_and(|pattern| takes(pattern, path));
            links.insert(path.clone(), self.link_at_tail(path, true, matched).await?);
        }
        if let Some(pattern) = &new.pattern {
            for info in self.list_matching(pattern, limit).await?.ok_or(CreateError::TooManyStreams(limit))? {
                let (path, stream) = (info.path.clone(), Some(info.id));
                let link =
                    Link { path, named: false, matched: true, stream, acked: info.tail, snapshot: None };
                links.entry(info.path).or_insert(link);
            }
        }
        if links.len() as u64 > limit {
            return Err(CreateError::TooManyStreams(limit));
        }
        Ok(links.into_values().collect())
    }

    pub(super) async fn link_at_tail(
        &self,
        path: &StreamPath,
        named: bool,
        matched: bool,
    ) -> Result<Link, tidegate_log::LogError> {
        let info = self.parts().log.lookup(path).await?;
        let acked = info.as_ref().map_or(Offset::START, |info| info.tail);
        let stream = info.map(|info| info.id);
        Ok(Link { path: path.clone(), named, matched, stream, acked, snapshot: None })
    }
}

/// What its maker asked for, the order and repetition of streams aside.
fn digest(new: &NewSubscription, target: &Target, lease: Duration) -> [u8; 32] {
    let mut streams: Vec<&str> = new.streams.iter().map(StreamPath::as_str).collect();
    streams.sort_unstable();
    streams.dedup();
    let canonical = json!([
        target.kind(),
        target.as_str(),
        new.pattern.as_ref().map(tidegate_types::StreamPattern::as_str),
        streams,
        lease.as_millis().to_string(),
        new.description,
    ]);
    Sha256::digest(canonical.to_string()).into()
}
