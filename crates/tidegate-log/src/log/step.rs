//! Housekeeping in bounded rounds: expiry, retention, purging, merging, flushing of renewals, forgetting
//! idle heads.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_types::Timestamp;
use tokio::sync::oneshot;

use super::Log;
use super::keep::Walk;
use crate::LogError;
use crate::commit::Command;
use crate::store::Stored;

const STREAMS_PER_ROUND: usize = 256;
const CHUNKS_PER_ROUND: usize = 1_024;
const ROUND: Duration = Duration::from_secs(1);
/// How long a commit may leave work for later.
const MERGE_AFTER: Duration = Duration::from_secs(1);
const HEADS_IDLE: Duration = Duration::from_secs(60);

/// What housekeeping remembers from round to round.
#[derive(Debug, Default)]
pub(super) struct Chores {
    heads_looked_at: Option<(Timestamp, u64)>,
    pub(super) walk: Walk,
}

impl Log {
    /// One bounded round of housekeeping: expiry, retention, purging, merging, flushing of renewals. Answers when the
    /// next is due.
    ///
    /// # Errors
    /// The log failed; the next round tries again.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, LogError> {
        let due = self.core.store.list_due(now, STREAMS_PER_ROUND).await?;
        let all_due_seen = due.streams.len() < STREAMS_PER_ROUND;
        self.expire(due.streams, now).await?;
        for renewal in self.core.renewals.take_idle(now, STREAMS_PER_ROUND) {
            self.core.push_renewal(renewal);
        }
        let trim_due = self.drop_what_is_not_kept(now).await?;
        let more_to_purge = self.core.store.purge(CHUNKS_PER_ROUND).await?;
        let more_to_merge = self.core.store.merge(now.minus(MERGE_AFTER)).await?;
        self.forget_idle_heads(now);
        let next = trim_due.map_or(now.plus(ROUND), |due| due.min(now.plus(ROUND)));
        if more_to_purge || more_to_merge || !all_due_seen {
            // A breath between two rounds, so that writers are not starved by a large deletion.
            return Ok(now.plus(Duration::from_millis(10)));
        }
        Ok(due.next.map_or(next, |deadline| deadline.min(next)))
    }

    async fn expire(&self, due: Vec<Stored>, now: Timestamp) -> Result<(), LogError> {
        let mut answers = Vec::new();
        for stored in due {
            if !self.core.renewals.is_expired(&stored, now) {
                self.core.renewals.renewal_of(&stored).into_iter().for_each(|r| self.core.push_renewal(r));
                continue;
            }
            let (answer, answered) = oneshot::channel();
            let (path, id) = (stored.info.path, stored.info.id);
            if self.core.push(Command::Expire { path, id, answer }).is_err() {
                return Err(super::write::overloaded());
            }
            answers.push(answered);
        }
        for answered in answers {
            // The writer stopping is told by whatever is asked of it next.
            answered.await.unwrap_or(Ok(false))?;
        }
        Ok(())
    }

    pub(super) fn lock_chores(&self) -> MutexGuard<'_, Chores> {
        self.chores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_idle_heads(&self, now: Timestamp) {
        let mut chores = self.lock_chores();
        let since = match chores.heads_looked_at {
            Some((at, _)) if now.since(at) < HEADS_IDLE => return,
            Some((_, round)) => round,
            None => 0,
        };
        self.core.known.drop_idle();
        chores.heads_looked_at = Some((now, self.core.lock_heads().drop_idle(since)));
    }
}
