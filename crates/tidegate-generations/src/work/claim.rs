//! Claiming: the oldest fitting generation that waits, to one worker.

use std::sync::PoisonError;
use std::time::Duration;

use tidegate_types::{GenerationId, Secret, SecretKind};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Claim, Claimed};
use crate::change::Decision;
use crate::store::{ClaimableQuery, Lease};
use crate::{ClaimError, Generations, GenerationsError, Invalid, Status};

const LEASE_SECONDS: std::ops::RangeInclusive<u64> = 5..=600;
const FRAMEWORKS_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 128;
const CANDIDATES: usize = 32;
/// Another process may have put something in the queue without telling this one.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Generations {
    /// Hands the oldest fitting generation to a worker, waiting for one if there is none.
    ///
    /// # Errors
    /// A field is not valid, or the database or a stream cannot be written.
    pub async fn claim(&self, claim: Claim) -> Result<Option<Claimed>, ClaimError> {
        self.claim_until(claim, &CancellationToken::new()).await
    }

    /// The same, with nothing more handed out once `stop` is cancelled.
    ///
    /// # Errors
    /// A field is not valid, or the database or a stream cannot be written.
    pub async fn claim_until(
        &self,
        claim: Claim,
        stop: &CancellationToken,
    ) -> Result<Option<Claimed>, ClaimError> {
        self.check_claim(&claim).map_err(ClaimError::Invalid)?;
        self.attended(&claim);
        // Only the waiting is cut short, never a claim that is being written.
        let deadline = Instant::now() + claim.wait;
        loop {
            let told = self.inner.waiting.notified();
            tokio::pin!(told);
            // Registered before the look, so that nothing falls between the two.
            told.as_mut().enable();
            if stop.is_cancelled() {
                return Ok(None);
            }
            let claimed = self.try_claim(&claim).await?;
            if claimed.is_some() || Instant::now() >= deadline {
                return Ok(claimed);
            }
            tokio::select! {
                () = told => {}
                () = tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_AGAIN)) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn try_claim(&self, claim: &Claim) -> Result<Option<Claimed>, ClaimError> {
        let mut frameworks = claim.frameworks.clone();
        frameworks.retain(|framework| self.is_for(claim, framework));
        if frameworks.is_empty() && !claim.frameworks.is_empty() {
            return Ok(None);
        }
        let mut query = ClaimableQuery {
            frameworks,
            owner: claim.owner,
            id: claim.id.clone(),
            after: 0,
            limit: CANDIDATES,
        };
        loop {
            let candidates = self.parts().store.list_claimable(query.clone()).await?;
            for candidate in &candidates {
                query.after = candidate.seq;
                let Some(_mark) = Mark::set(self, &candidate.id) else { continue };
                if let Some(claimed) = self.take(claim, &candidate.id).await? {
                    return Ok(Some(claimed));
                }
            }
            if candidates.len() < CANDIDATES {
                return Ok(None);
            }
        }
    }

    async fn take(&self, claim: &Claim, id: &GenerationId) -> Result<Option<Claimed>, GenerationsError> {
        let secret = Secret::generate(SecretKind::WorkerLease, &*self.parts().entropy);
        let now = self.now();
        let lease = Lease {
            digest: secret.digest(),
            key_id: claim.key_id,
            lasts: claim.lease,
            expires_at: Some(now.plus(claim.lease)),
        };
        let row = self
            .change(id, |row| {
                let record = &row.state.record;
                if record.status != Status::Pending || !self.is_for(claim, &record.framework) {
                    return Ok::<_, GenerationsError>(Decision::Keep);
                }
                let entry = row
                    .state
                    .claim(&claim.worker, now)
                    .map_err(|error| GenerationsError::internal(&error))?;
                Ok(Decision::write(entry, Some(lease)))
            })
            .await?;
        let Some(row) = row.filter(|row| row.lease == Some(lease)) else { return Ok(None) };
        self.inner.attendance.note([row.state.record.framework.as_str()], now.plus(claim.lease));
        Ok(Some(Claimed { generation: row.state.record, lease_token: secret, epoch: row.state.epoch }))
    }

    /// Whether this worker may have work of this framework: what the server runs itself is its own.
    fn is_for(&self, claim: &Claim, framework: &str) -> bool {
        self.parts().built_in(framework).is_some() == claim.is_own()
    }

    fn attended(&self, claim: &Claim) {
        let known = claim.frameworks.iter().filter(|name| self.parts().knows(name));
        self.inner.attendance.note(known.map(String::as_str), self.now().plus(claim.wait));
    }

    fn check_claim(&self, claim: &Claim) -> Result<(), Invalid> {
        if claim.frameworks.is_empty() && claim.id.is_none() {
            return Err(Invalid::new("/frameworks", "names nothing"));
        }
        if claim.frameworks.len() > FRAMEWORKS_MAX {
            return Err(Invalid::new("/frameworks", format!("name more than {FRAMEWORKS_MAX}")));
        }
        let well_formed = |name: &String| (1..=NAME_BYTES_MAX).contains(&name.len());
        if let Some(index) = claim.frameworks.iter().position(|name| !well_formed(name)) {
            return Err(Invalid::new(format!("/frameworks/{index}"), "is not a framework's name"));
        }
        if claim.worker.len() > NAME_BYTES_MAX {
            return Err(Invalid::new("/worker", format!("has more than {NAME_BYTES_MAX} bytes")));
        }
        if !LEASE_SECONDS.contains(&claim.lease.as_secs()) {
            return Err(Invalid::new("/lease_seconds", "is 5 to 600"));
        }
        let wait_seconds = self.parts().limits.wait_seconds;
        if claim.wait > Duration::from_secs(wait_seconds) {
            return Err(Invalid::new("/wait", format!("is 0 to {wait_seconds}")));
        }
        Ok(())
    }
}

/// Marks a candidate while one claim looks at it, so that others go on to the next.
struct Mark<'a> {
    generations: &'a Generations,
    id: &'a GenerationId,
}

impl<'a> Mark<'a> {
    fn set(generations: &'a Generations, id: &'a GenerationId) -> Option<Self> {
        let mut claiming = generations.inner.claiming.lock().unwrap_or_else(PoisonError::into_inner);
        // Lazily: a mark that is made is also dropped, and dropping takes the mark away.
        claiming.insert(id.clone()).then(|| Self { generations, id })
    }
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        self.generations.inner.claiming.lock().unwrap_or_else(PoisonError::into_inner).remove(self.id);
    }
}
