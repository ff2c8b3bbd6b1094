//! Which streams moved since somebody last asked: a hint for one listener of this process.
//!
//! Owns: a bounded set of paths. Past its bound it says "some", and the listener looks at everything.
//! Must not: cost a writer more than one look at a flag while nobody listens.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_types::StreamPath;
use tokio::sync::Notify;

const PATHS_MAX: usize = 4_096;

/// The streams that were made, written to, closed or deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Each once, in no order.
    pub paths: Vec<StreamPath>,
    /// Whether others moved too, which are not named: look at everything.
    pub and_others: bool,
}

#[derive(Debug, Default)]
pub(crate) struct ChangeLog {
    watched: AtomicBool,
    noted: Mutex<Noted>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Noted {
    paths: HashSet<StreamPath>,
    and_others: bool,
}

impl ChangeLog {
    pub(crate) fn watch(&self, on: bool) {
        self.watched.store(on, Ordering::Release);
        if !on {
            *self.lock() = Noted::default();
        }
    }

    pub(crate) fn note(&self, path: &StreamPath) {
        if !self.watched.load(Ordering::Acquire) {
            return;
        }
        let mut noted = self.lock();
        if noted.paths.len() < PATHS_MAX {
            noted.paths.insert(path.clone());
        } else if !noted.paths.contains(path) {
            noted.and_others = true;
        }
        drop(noted);
        self.news.notify_one();
    }

    pub(crate) fn take(&self) -> Changes {
        let Noted { paths, and_others } = std::mem::take(&mut *self.lock());
        Changes { paths: paths.into_iter().collect(), and_others }
    }

    pub(crate) async fn noted(&self) {
        self.news.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(number: usize) -> StreamPath {
        format!("a/{number}").parse().unwrap()
    }

    #[test]
    fn nothing_is_noted_while_nobody_listens() {
        let changes = ChangeLog::default();
        changes.note(&path(1));
        changes.watch(true);
        assert_eq!(changes.take(), Changes::default());
        changes.note(&path(1));
        changes.note(&path(1));
        assert_eq!(changes.take(), Changes { paths: vec![path(1)], and_others: false });
    }

    #[test]
    fn the_set_is_bounded_and_says_so() {
        let changes = ChangeLog::default();
        changes.watch(true);
        (0..PATHS_MAX + 10).for_each(|number| changes.note(&path(number)));
        let taken = changes.take();
        assert_eq!((taken.paths.len(), taken.and_others), (PATHS_MAX, true));
        assert_eq!(changes.take(), Changes::default());
    }
}
