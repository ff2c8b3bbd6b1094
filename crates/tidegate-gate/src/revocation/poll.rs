//! Reading the table once a second, with an overlap: numbers are given before commits, so a
//! smaller one may become visible after a larger one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_db::DbError;
use tidegate_types::Timestamp;

use super::Revocation;
use crate::store::RevocationStore;

/// How far back each poll reads again.
const OVERLAP: Duration = Duration::from_secs(10);
/// Rows of one read.
const POLL_ROWS: u32 = 1_000;

/// Where the poll stands: the highest number that was seen, and when.
#[derive(Debug, Default)]
pub(crate) struct PollCursor {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Everything up to this number was read long enough ago.
    floor: i64,
    recent: VecDeque<(Timestamp, i64)>,
}

impl PollCursor {
    /// All rows that may be new. Cheap when there are none.
    pub(crate) async fn poll(
        &self,
        store: &dyn RevocationStore,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, DbError> {
        let mut after = self.floor(now);
        let mut found = Vec::new();
        loop {
            let page = store.list_revocations(after, POLL_ROWS).await?;
            let full = page.len() >= usize::try_from(POLL_ROWS).unwrap_or(usize::MAX);
            after = page.last().map_or(after, |row| row.id);
            found.extend(page);
            if !full {
                break;
            }
        }
        self.note(now, after);
        Ok(found)
    }

    fn floor(&self, now: Timestamp) -> i64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = now.minus(OVERLAP);
        while let Some((_, id)) = seen.recent.pop_front_if(|(at, _)| *at <= settled) {
            seen.floor = seen.floor.max(id);
        }
        seen.floor
    }

    fn note(&self, now: Timestamp, highest: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Only risen numbers are noted, so the list holds at most one entry per poll of 10 s.
        if highest > seen.recent.back().map_or(seen.floor, |(_, id)| *id) {
            seen.recent.push_back((now, highest));
        }
    }
}
