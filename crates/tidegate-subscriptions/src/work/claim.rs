//! Claiming a wake: one worker at a time.

use std::time::Duration;

use tidegate_types::Secret;

use crate::progress::Busy;
use crate::{ClaimError, SubscriptionUid, Subscriptions, ViewedStream};

const WORKER_BYTES_MAX: usize = 256;

/// What a worker gets.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The wake's id.
    pub wake: String,
    /// Its number.
    pub generation: u64,
    /// What acknowledges and releases it.
    pub token: Secret,
    /// The streams with what is pending.
    pub streams: Vec<ViewedStream>,
    /// How long the lease lasts.
    pub lease: Duration,
}

impl Subscriptions {
    /// Takes the wake that is under way, or begins one if something is pending.
    ///
    /// # Errors
    /// See [`ClaimError`].
    pub async fn claim(&self, uid: SubscriptionUid, worker: &str) -> Result<Claimed, ClaimError> {
        if !(1..=WORKER_BYTES_MAX).contains(&worker.len()) {
            return Err(ClaimError::Worker);
        }
        let _held = self.inner.locks.lock(uid).await;
        let mut subscription = self.store().lookup(uid).await?.ok_or(ClaimError::NotFound)?;
        if subscription.wake_stream().is_none() {
            return Err(ClaimError::NotPullWake);
        }
        let now = self.now();
        let mut standings = self.look(&subscription).await?;
        if subscription.progress.has_lapsed(now) {
            subscription.progress.end();
        }
        let busy =
            |Busy { holder }| ClaimError::Claimed { holder, generation: subscription.progress.generation };
        let lease = subscription.lease;
        subscription.progress.clone().claim(worker, now, lease).map_err(busy)?;
        if standings.first_pending().is_none() {
            // The record of this wake was read for nothing; what comes next makes a new one.
            if !subscription.progress.is_idle() {
                subscription.progress.end();
                self.save(&mut subscription, standings).await?;
            }
            return Err(ClaimError::NothingPending);
        }
        self.begin_wake(&mut subscription, &mut standings, now);
        standings.take_snapshot();
        let generation = subscription.progress.generation;
        subscription
            .progress
            .claim(worker, now, lease)
            .map_err(|Busy { holder }| ClaimError::Claimed { holder, generation })?;
        let claimed = Claimed {
            wake: subscription.progress.wake().unwrap_or_default().to_owned(),
            generation,
            token: self.inner.tokens.token(uid, generation),
            streams: standings.readable(),
            lease,
        };
        self.save(&mut subscription, standings).await?;
        Ok(claimed)
    }
}
