//! Telling workers of a wake: a record of the wake stream.

use serde_json::json;
use tidegate_log::{Append, AppendError, Producer};
use tidegate_types::{StreamPath, Timestamp};

use crate::{Phase, Subscription, SubscriptionUid, Subscriptions, SubscriptionsError};

impl Subscriptions {
    /// Does what is due for one subscription: ends a lease that has run out, or tells of a wake.
    pub(super) async fn do_due(
        &self,
        uid: SubscriptionUid,
        now: Timestamp,
    ) -> Result<(), SubscriptionsError> {
        let _held = self.inner.locks.lock(uid).await;
        let Some(mut subscription) = self.store().lookup(uid).await? else { return Ok(()) };
        if subscription.progress.has_lapsed(now) {
            let mut standings = self.look(&subscription).await?;
            self.end_wake(&mut subscription, &mut standings, now);
            return self.save(&mut subscription, standings).await;
        }
        let Some(wake_stream) = subscription.wake_stream().cloned() else { return Ok(()) };
        if let Phase::Telling { attempts, due, cause, .. } = &mut subscription.progress.phase
            && *due <= now
        {
            *attempts += 1;
            let cause = cause.clone();
            let told = self.tell(&subscription, &wake_stream, &cause, now).await?;
            match told {
                Ok(()) => subscription.progress.recorded(),
                Err(why) => subscription.progress.failed(why, now, self.retries(), true),
            }
            if !self.store().save(&subscription, Vec::new(), Vec::new()).await? {
                return Err(SubscriptionsError::Raced);
            }
        }
        Ok(())
    }

    /// The inner error is the owner's to mend; the outer one is ours and is tried again.
    async fn tell(
        &self,
        subscription: &Subscription,
        wake_stream: &StreamPath,
        cause: &StreamPath,
        now: Timestamp,
    ) -> Result<Result<(), String>, SubscriptionsError> {
        let allowed = self.reach()?.may_append(&subscription.owner, wake_stream).await;
        if !allowed.map_err(SubscriptionsError::Reach)? {
            return Ok(Err("the owner may not append to the wake stream".to_owned()));
        }
        let generation = subscription.progress.generation;
        let event = json!({
            "type": "wake",
            "subscription_id": subscription.id.as_str(),
            "stream": cause.as_str(),
            "generation": generation,
            "ts": now.as_millis(),
        });
        let append = Append {
            // The same numbers again, as after a crash, write nothing.
            producer: Some(Producer {
                id: format!("__ds/subscriptions/{}", subscription.uid.0),
                epoch: generation,
                seq: 0,
            }),
            ..Append::one(event.to_string())
        };
        match self.parts().log.append(wake_stream, append).await {
            Ok(_) => Ok(Ok(())),
            Err(AppendError::Log(error)) => Err(error.into()),
            Err(AppendError::Overloaded) => Err(tidegate_db::DbError::Overloaded.into()),
            Err(error) => Ok(Err(SubscriptionsError::of_append(&error))),
        }
    }
}
