//! Acknowledging work, keeping the lease, and giving it back.

use tidegate_types::{Offset, StreamPath, Timestamp};

use super::look::Standings;
use crate::{AckError, Phase, Subscription, SubscriptionId, Subscriptions};

/// Who works on a wake, and so which call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// A worker that claimed it.
    Worker,
    /// A webhook that was called.
    Webhook,
}

/// What whoever works on a wake says of it.
#[derive(Clone, Debug)]
pub struct Ack<'a> {
    /// What lets them in.
    pub token: &'a str,
    /// The wake's id.
    pub wake: &'a str,
    /// Its number.
    pub generation: u64,
    /// What was worked on: each stream up to an offset.
    pub acks: Vec<(StreamPath, Offset)>,
    /// Whether they are done.
    pub done: bool,
}

/// The answer to an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// Whether there is more, so that the next wake is on its way.
    pub next_wake: bool,
}

impl Subscriptions {
    /// Notes what was worked on, all of it or nothing, and renews the lease; `done` ends the wake.
    ///
    /// # Errors
    /// See [`AckError`].
    pub async fn ack(&self, id: &SubscriptionId, who: Holding, ack: Ack<'_>) -> Result<Acked, AckError> {
        let now = self.now();
        let subscription = self.find_held(id, who, &ack).await?;
        let _held = self.inner.locks.lock(subscription.uid).await;
        let mut subscription = self.still_held(&subscription, &ack, now).await?;
        let mut standings = self.look(&subscription).await?;
        apply(&mut standings, &ack.acks)?;
        let lease = subscription.lease;
        let next_wake = if ack.done {
            self.end_wake(&mut subscription, &mut standings, now)
        } else {
            subscription.progress.renew(now, lease);
            false
        };
        self.save(&mut subscription, standings).await?;
        Ok(Acked { next_wake })
    }

    /// Gives a claimed wake back. What is pending makes the next one at once.
    ///
    /// # Errors
    /// See [`AckError`].
    pub async fn release(&self, id: &SubscriptionId, ack: Ack<'_>) -> Result<(), AckError> {
        let now = self.now();
        let subscription = self.find_held(id, Holding::Worker, &ack).await?;
        let _held = self.inner.locks.lock(subscription.uid).await;
        let mut subscription = self.still_held(&subscription, &ack, now).await?;
        let mut standings = self.look(&subscription).await?;
        self.end_wake(&mut subscription, &mut standings, now);
        Ok(self.save(&mut subscription, standings).await?)
    }

    async fn find_held(
        &self,
        id: &SubscriptionId,
        who: Holding,
        ack: &Ack<'_>,
    ) -> Result<Subscription, AckError> {
        let subscription = self.store().find_by_id(id).await?.ok_or(AckError::NotFound)?;
        let generation = self.inner.tokens.generation(subscription.uid, ack.token).ok_or(AckError::Token)?;
        let of_webhook = subscription.webhook_url().is_some();
        if of_webhook != (who == Holding::Webhook) {
            return Err(AckError::WrongKind(subscription.target.kind()));
        }
        if generation != ack.generation { Err(AckError::Fenced) } else { Ok(subscription) }
    }

    /// The subscription read again under its lock, if the wake is still that of the request.
    async fn still_held(
        &self,
        found: &Subscription,
        ack: &Ack<'_>,
        now: Timestamp,
    ) -> Result<Subscription, AckError> {
        let subscription = self.store().lookup(found.uid).await?.ok_or(AckError::NotFound)?;
        let progress = &subscription.progress;
        let worked_on = match &progress.phase {
            Phase::Held { .. } => !progress.has_lapsed(now),
            // A webhook may call back before its answer has arrived.
            Phase::Telling { .. } => subscription.webhook_url().is_some(),
            Phase::Idle | Phase::Told { .. } => false,
        };
        if worked_on && progress.is_wake(ack.generation, ack.wake) {
            Ok(subscription)
        } else {
            Err(AckError::Fenced)
        }
    }
}

/// Checks every acknowledgement before the first one counts.
fn apply(standings: &mut Standings, acks: &[(StreamPath, Offset)]) -> Result<(), AckError> {
    for (path, offset) in acks {
        let standing = standings.find_mut(path).ok_or(AckError::UnknownStream)?;
        if *offset < standing.link.acked {
            return Err(AckError::Backwards);
        }
        if *offset > standing.tail {
            return Err(AckError::PastTail);
        }
    }
    for (path, offset) in acks {
        if let Some(standing) = standings.find_mut(path) {
            standing.link.acked = standing.link.acked.max(*offset);
        }
    }
    Ok(())
}
