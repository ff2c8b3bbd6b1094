//! The node's own worker: claims for all built-in frameworks, a bounded number at once.

use std::sync::Arc;
use std::time::Duration;

use tidegate_types::KeyId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::OWN_KEY;
use super::held::Held;
use crate::{Claim, Claimed, Generations};

const LEASE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);

/// The worker of this node.
#[derive(Debug)]
pub struct Runner {
    generations: Generations,
    frameworks: Vec<String>,
    slots: Arc<Semaphore>,
}

impl Runner {
    /// A worker for the frameworks that these generations were opened with.
    #[must_use]
    pub fn new(generations: Generations) -> Self {
        let parts = generations.parts();
        let names = parts.frameworks.iter().map(|framework| framework.name());
        let frameworks = names.filter(|name| parts.built_in(name).is_some()).map(str::to_owned).collect();
        let at_once = usize::try_from(parts.limits.built_in_jobs).unwrap_or(usize::MAX);
        Self { slots: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))), frameworks, generations }
    }

    /// Works until `drain` is cancelled, then hands back what is not done: within about 5 s.
    pub async fn run(self, drain: CancellationToken) {
        let mut jobs = JoinSet::new();
        while let Some(slot) = self.slot(&drain).await {
            while jobs.try_join_next().is_some() {}
            match self.generations.claim_until(self.wish(), &drain).await {
                Ok(Some(claimed)) => drop(jobs.spawn(self.work(claimed, slot, drain.clone()))),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "built-in frameworks wait for the database");
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = drain.cancelled() => {}
                    }
                }
            }
        }
        while jobs.join_next().await.is_some() {}
    }

    /// Room for one more; `None` when there is nothing more to do.
    async fn slot(&self, drain: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        if self.frameworks.is_empty() {
            return None;
        }
        tokio::select! {
            biased;
            () = drain.cancelled() => None,
            slot = Arc::clone(&self.slots).acquire_owned() => slot.ok(),
        }
    }

    fn wish(&self) -> Claim {
        Claim {
            worker: "built-in".to_owned(),
            key_id: KeyId::from(OWN_KEY),
            owner: None,
            frameworks: self.frameworks.clone(),
            lease: LEASE,
            wait: Duration::from_secs(self.generations.parts().limits.wait_seconds),
            id: None,
        }
    }

    fn work(
        &self,
        claimed: Claimed,
        slot: OwnedSemaphorePermit,
        drain: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let generations = self.generations.clone();
        let framework = generations.parts().built_in(&claimed.generation.framework).cloned();
        async move {
            // Only what is built in is claimed here.
            if let Some(framework) = framework {
                Held { generations, framework, claimed, lasts: LEASE, drain }.run().await;
            }
            drop(slot);
        }
    }
}
