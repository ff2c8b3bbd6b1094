//! Telling a webhook of a wake: one signed call at a time for each subscription.

use serde_json::{Value, json};
use tidegate_types::Timestamp;

use crate::deliver::{DeliverError, WebhookAnswer, WebhookCall};
use crate::{
    Phase, Subscription, SubscriptionUid, Subscriptions, SubscriptionsError, ViewedStream, WebhookUrl,
};

/// A call that dies with the process is made again this long after its own bound.
const HOLD: std::time::Duration = std::time::Duration::from_secs(1);
const IDLE: std::time::Duration = std::time::Duration::from_secs(30);

/// Which wake a call was about.
struct About {
    uid: SubscriptionUid,
    generation: u64,
    wake: String,
}

impl Subscriptions {
    /// Makes the call that waits longest, if one is due. May run several times at once; answers
    /// when to call again, [`Subscriptions::delivery_woken`] tells of work before that.
    ///
    /// # Errors
    /// The database failed; the call is made again later.
    pub async fn deliver(&self, now: Timestamp) -> Result<Timestamp, SubscriptionsError> {
        if self.inner.reach.get().is_none() {
            return Ok(now.plus(IDLE));
        }
        let again = now.plus(self.webhook_timeout() + HOLD);
        let Some(taken) = self.store().take_delivery(now, again).await? else {
            return Ok(now.plus(IDLE));
        };
        let about = About {
            uid: taken.uid,
            generation: taken.progress.generation,
            wake: taken.progress.wake().unwrap_or_default().to_owned(),
        };
        match self.prepare(&about, now).await? {
            Some(Ok(call)) => {
                let answer = self.parts().deliver.deliver(call).await;
                self.conclude(&about, answer).await?;
            }
            Some(Err(refused)) => self.conclude(&about, Err(refused)).await?,
            None => {}
        }
        Ok(now)
    }

    /// Returns when there is new work for [`Subscriptions::deliver`].
    pub async fn delivery_woken(&self) {
        self.inner.deliveries.notified().await;
    }

    /// The call, or why it can't be made. `None` when there is none to make any more.
    async fn prepare(
        &self,
        about: &About,
        now: Timestamp,
    ) -> Result<Option<Result<WebhookCall, DeliverError>>, SubscriptionsError> {
        let _held = self.inner.locks.lock(about.uid).await;
        let Some(mut subscription) = self.find_wake(about).await? else { return Ok(None) };
        let mut standings = self.look(&subscription).await?;
        let streams = standings.readable();
        if streams.is_empty() {
            subscription.progress.give_up("the owner may read none of the streams any more".to_owned());
            self.save(&mut subscription, standings).await?;
            return Ok(None);
        }
        standings.take_snapshot();
        // Not `save`: the call is made here and now, nobody has to be told of it.
        let (links, gone) = standings.into_changes();
        if !self.store().save(&subscription, links, gone).await? {
            return Err(SubscriptionsError::Raced);
        }
        Ok(Some(self.call(&subscription, &streams, now)))
    }

    fn call(
        &self,
        subscription: &Subscription,
        streams: &[ViewedStream],
        now: Timestamp,
    ) -> Result<WebhookCall, DeliverError> {
        let parts = self.parts();
        let url = subscription.webhook_url().unwrap_or_default();
        // Parsed again: the settings may have changed since it was stored.
        let url = WebhookUrl::parse(url, parts.webhooks).map_err(|error| DeliverError(error.to_string()))?;
        let generation = subscription.progress.generation;
        let token = self.inner.tokens.token(subscription.uid, generation);
        let body = json!({
            "subscription_id": subscription.id.as_str(),
            "wake_id": subscription.progress.wake(),
            "generation": generation,
            "streams": streams.iter().map(ViewedStream::to_json).collect::<Vec<_>>(),
            "callback_url": subscription.callback_url(),
            "callback_token": token.reveal(),
        });
        let body = body.to_string().into_bytes();
        Ok(WebhookCall {
            url,
            signature: self.inner.signer.header(&body, now),
            body,
            timeout: self.webhook_timeout(),
            answer_bytes: usize::try_from(parts.limits.webhook_answer_bytes).unwrap_or(usize::MAX),
        })
    }

    async fn conclude(
        &self,
        about: &About,
        answer: Result<WebhookAnswer, DeliverError>,
    ) -> Result<(), SubscriptionsError> {
        let now = self.now();
        let _held = self.inner.locks.lock(about.uid).await;
        // A callback may have ended the wake before its answer was read.
        let found = self.store().lookup(about.uid).await?;
        let Some(mut subscription) = found.filter(|s| s.progress.is_wake(about.generation, &about.wake))
        else {
            return Ok(());
        };
        let mut standings = self.look(&subscription).await?;
        let lease = subscription.lease;
        match answer {
            Ok(answer) if is_done(&answer) => {
                subscription.progress.taken(now, lease);
                standings.ack_snapshot();
                self.end_wake(&mut subscription, &mut standings, now);
            }
            Ok(answer) if (200..300).contains(&answer.status) => subscription.progress.taken(now, lease),
            Ok(answer) => {
                let why = format!("the webhook answered {}", answer.status);
                subscription.progress.failed(why, now, self.retries(), false);
            }
            Err(DeliverError(why)) => subscription.progress.failed(why, now, self.retries(), false),
        }
        self.save(&mut subscription, standings).await
    }

    async fn find_wake(&self, about: &About) -> Result<Option<Subscription>, SubscriptionsError> {
        let found = self.store().lookup(about.uid).await?;
        Ok(found.filter(|subscription| {
            let progress = &subscription.progress;
            progress.is_wake(about.generation, &about.wake) && matches!(progress.phase, Phase::Telling { .. })
        }))
    }
}

fn is_done(answer: &WebhookAnswer) -> bool {
    let done = || {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        body.get("done")?.as_bool()
    };
    (200..300).contains(&answer.status) && done() == Some(true)
}
