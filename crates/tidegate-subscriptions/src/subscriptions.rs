//! The handle on subscriptions.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tidegate_db::KeyedLocks;
use tidegate_log::Log;
use tidegate_types::{Clock, Entropy, Limits, Timestamp};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::sign::{Signer, TokenKey};
use crate::{
    Deliver, PublicKey, Reach, Subscription, SubscriptionUid, SubscriptionsError, SubscriptionsStore,
    WebhookPolicy,
};

/// What subscriptions are made of; the binary wires it.
pub struct SubscriptionsParts {
    /// The tables.
    pub store: Arc<dyn SubscriptionsStore>,
    /// The streams.
    pub log: Log,
    /// Calls of webhooks.
    pub deliver: Arc<dyn Deliver>,
    /// Which of them may be made.
    pub webhooks: WebhookPolicy,
    /// A key of this server: tokens and the seal of signing keys come from it.
    pub secret: Zeroizing<[u8; 32]>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub limits: Arc<Limits>,
}

/// Subscriptions. Cheap to clone.
#[derive(Clone)]
pub struct Subscriptions {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: SubscriptionsParts,
    pub(crate) reach: OnceLock<Arc<dyn Reach>>,
    pub(crate) tokens: TokenKey,
    pub(crate) signer: Signer,
    /// One reader, decider and writer of a subscription at a time.
    pub(crate) locks: KeyedLocks<SubscriptionUid>,
    pub(crate) wakes: Notify,
    pub(crate) deliveries: Notify,
    /// Hints were lost, or nobody has looked since the start: every subscription is looked at.
    pub(crate) unsure: AtomicBool,
    pub(crate) round: Mutex<Option<SubscriptionUid>>,
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions").finish_non_exhaustive()
    }
}

impl Subscriptions {
    /// Opens the subscriptions: reads the signing key, or makes one.
    ///
    /// # Errors
    /// The database can't be used.
    pub async fn open(parts: SubscriptionsParts) -> Result<Self, SubscriptionsError> {
        let tokens = TokenKey::derive(&parts.secret);
        let signer = Signer::open(&parts).await?;
        // Writers pay for hints only where there is somebody to wake. What moved while nobody
        // listened is found by looking at everything once.
        if !parts.store.list(None, None, 1).await?.is_empty() {
            parts.log.watch_changes(true);
        }
        let inner = Inner {
            parts,
            reach: OnceLock::new(),
            tokens,
            signer,
            locks: KeyedLocks::default(),
            wakes: Notify::new(),
            deliveries: Notify::new(),
            unsure: AtomicBool::new(true),
            round: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Tells whom to ask what owners may do. Until then nobody is woken. Only the first one counts.
    pub fn bind(&self, reach: Arc<dyn Reach>) {
        if self.inner.reach.set(reach).is_ok() {
            self.inner.wakes.notify_one();
        }
    }

    /// The keys that webhooks are signed with; the first one signs.
    #[must_use]
    pub fn signing_keys(&self) -> &[PublicKey] {
        self.inner.signer.public_keys()
    }

    /// How many works may call [`Subscriptions::deliver`] at once.
    #[must_use]
    pub fn deliveries_at_once(&self) -> u64 {
        if self.inner.parts.webhooks.enabled { self.parts().limits.webhook_deliveries } else { 0 }
    }

    pub(crate) fn parts(&self) -> &SubscriptionsParts {
        &self.inner.parts
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts().clock.now()
    }

    pub(crate) fn store(&self) -> &dyn SubscriptionsStore {
        &*self.inner.parts.store
    }

    pub(crate) fn reach(&self) -> Result<&dyn Reach, SubscriptionsError> {
        let bound = self.inner.reach.get().map(|reach| &**reach);
        bound.ok_or(SubscriptionsError::Reach(tidegate_types::ErrorCode::Draining))
    }

    pub(crate) fn doubt(&self) {
        self.inner.unsure.store(true, Ordering::Release);
    }

    /// Where the round over all subscriptions stands.
    pub(crate) fn round(&self) -> std::sync::MutexGuard<'_, Option<SubscriptionUid>> {
        self.inner.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody has something to do now.
    pub(crate) fn announce(&self, subscription: &Subscription) {
        if subscription.progress.due().is_none() {
            return;
        }
        match subscription.webhook_url() {
            Some(_) => self.inner.deliveries.notify_one(),
            None => self.inner.wakes.notify_one(),
        }
    }

    pub(crate) fn webhook_timeout(&self) -> Duration {
        Duration::from_millis(self.parts().limits.webhook_timeout_ms)
    }
}
