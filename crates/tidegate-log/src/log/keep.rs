//! Retention: walks all streams in bounded rounds and trims what their rules don't keep.

use std::time::Duration;

use tidegate_types::{StreamPath, Timestamp};

use super::Log;
use crate::LogError;
use crate::keep::{Keep, rule_for};
use crate::store::{CutQuery, Stored};

const STREAMS_PER_ROUND: usize = 256;
/// Between two rounds of a walk: trimming is never urgent.
const ROUND: Duration = Duration::from_millis(50);
/// Between the beginnings of two walks.
const WALK: Duration = Duration::from_secs(60);

/// Where the walk stands.
#[derive(Debug, Default)]
pub(super) struct Walk {
    after: Option<StreamPath>,
    due: Option<Timestamp>,
}

impl Walk {
    fn next(&mut self, last: Option<StreamPath>, now: Timestamp) -> Timestamp {
        let due = now.plus(if last.is_some() { ROUND } else { WALK });
        self.after = last;
        self.due = Some(due);
        due
    }
}

impl Log {
    /// One bounded round of the walk, if it is due. Answers when the next is; `None` without rules.
    pub(super) async fn drop_what_is_not_kept(&self, now: Timestamp) -> Result<Option<Timestamp>, LogError> {
        if self.core.options.keep.is_empty() {
            return Ok(None);
        }
        let after = {
            let chores = self.lock_chores();
            match chores.walk.due {
                Some(due) if now < due => return Ok(Some(due)),
                _ => chores.walk.after.clone(),
            }
        };
        let streams = self.core.store.list("", after.as_ref(), STREAMS_PER_ROUND).await?;
        for stored in &streams {
            if let Some(keep) = rule_for(&self.core.options.keep, &stored.info.path) {
                self.trim_to(stored, keep, now).await?;
            }
        }
        let last = streams.last().filter(|_| streams.len() == STREAMS_PER_ROUND);
        Ok(Some(self.lock_chores().walk.next(last.map(|stored| stored.info.path.clone()), now)))
    }

    async fn trim_to(&self, stored: &Stored, keep: &Keep, now: Timestamp) -> Result<(), LogError> {
        let info = &stored.info;
        let mut cut = keep.cut_by_count(info);
        if keep.max_age.is_some() || keep.max_bytes.is_some() {
            let query = CutQuery {
                id: info.id,
                before: keep.max_age.map(|age| now.minus(age)),
                bytes: keep.max_bytes,
            };
            cut = cut.max(self.core.store.find_cut(query).await?.unwrap_or(info.start));
        }
        if cut > info.start {
            self.trim(&info.path, cut).await?;
        }
        Ok(())
    }
}
