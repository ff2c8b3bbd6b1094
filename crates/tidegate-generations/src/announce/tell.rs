//! Passing on what is to be told: kept things in order, progress at most once a second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_types::{GenerationId, Timestamp};

use super::{Announcement, PROGRESS, announcement};
use crate::{Generation, Generations, GenerationsError};

const BATCH: usize = 100;
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// What is on its way to owners.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    /// Progress, by generation: the newest only. Lost in a crash, and then told by the next report.
    beats: Mutex<HashMap<GenerationId, Beat>>,
    /// Whether a task to tell has been started and has not begun.
    woken: AtomicBool,
    /// One teller at a time, so that owners hear things in their order.
    telling: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Beat {
    due: Option<Announcement>,
    not_before: Timestamp,
}

impl Teller {
    /// Notes progress, or that there will be none any more.
    pub(crate) fn note(&self, record: &Generation, is_progress: bool, now: Timestamp) {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        if record.status.is_finished() {
            beats.remove(&record.id);
        } else if is_progress {
            let due = Some(announcement(record, PROGRESS));
            beats.entry(record.id.clone()).or_insert(Beat { due: None, not_before: now }).due = due;
        }
    }

    /// Forgets a generation that is gone.
    pub(crate) fn forget(&self, id: &GenerationId) {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn has_due(&self, now: Timestamp) -> bool {
        let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        beats.values().any(|beat| beat.due.is_some() && beat.not_before <= now)
    }

    fn take_due(&self, now: Timestamp) -> Vec<Announcement> {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        let due = beats.values_mut().filter(|beat| beat.not_before <= now);
        due.filter_map(|beat| {
            let due = beat.due.take()?;
            beat.not_before = now.plus(PROGRESS_EVERY);
            Some(due)
        })
        .collect()
    }
}

impl Generations {
    /// Tells owners in the background; at most one task waits to.
    pub(crate) fn tell_soon(&self) {
        if self.inner.teller.woken.swap(true, Ordering::AcqRel) {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(error) = this.tell(this.now()).await {
                tracing::warn!(%error, "what is to be told to owners waits");
            }
        });
    }

    /// Whether progress could be told now.
    pub(crate) fn has_progress_due(&self, now: Timestamp) -> bool {
        self.inner.teller.has_due(now)
    }

    /// Tells owners what is kept, then what progress is due.
    pub(crate) async fn tell(&self, now: Timestamp) -> Result<(), GenerationsError> {
        let _one_at_a_time = self.inner.teller.telling.lock().await;
        self.inner.teller.woken.store(false, Ordering::Release);
        loop {
            let kept = self.parts().store.list_announcements(BATCH).await?;
            let Some((last, _)) = kept.last() else { break };
            let last = *last;
            for (seq, announcement) in &kept {
                if let Err(error) = self.parts().announce.announce(announcement).await {
                    tracing::warn!(%error, "an owner could not be told; later again");
                    return Ok(self.parts().store.forget_announcements(seq - 1).await?);
                }
            }
            self.parts().store.forget_announcements(last).await?;
        }
        for announcement in self.inner.teller.take_due(now) {
            if let Err(error) = self.parts().announce.announce(&announcement).await {
                tracing::warn!(%error, "progress could not be told; the next report follows");
            }
        }
        Ok(())
    }
}
