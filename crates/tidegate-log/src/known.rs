//! Streams that are looked up again and again, as they stand: opening one more reader of them asks no
//! database.
//!
//! Owns: that nothing here is older than the last commit that was answered. Sound because only this
//! process writes streams: a commit is noted here before anybody hears of it, and what a look found is
//! taken in only if no commit was noted since the look began.
//! Must not: know absent or deleted streams, or judge whether a life is over.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_types::StreamPath;

use crate::commit::Moved;
use crate::store::Stored;

/// Streams at most. What is not here is looked up.
const STREAMS_MAX: usize = 1_024;
/// Places for commits to be counted in and for looks to be remembered in; several paths share one.
const PLACES: usize = 256;

/// A moment in the history of one path, see [`Known::is_unmoved`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    place: usize,
    moves: u64,
}

#[derive(Debug)]
pub(crate) struct Known(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    streams: HashMap<StreamPath, Entry>,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Entry {
    stored: Stored,
    used: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Commits, noted or in doubt, that touched a path of this place.
    moves: u64,
    /// The hash of the path that was looked up last: who comes once is not worth keeping.
    looked_up: u64,
}

impl Default for Known {
    fn default() -> Self {
        Self(Mutex::new(Inner { streams: HashMap::new(), places: vec![Place::default(); PLACES] }))
    }
}

impl Known {
    /// The stream at a path, if it is known, and the moment of this call.
    pub(crate) fn find(&self, path: &StreamPath) -> (Option<Stored>, Moment) {
        let mut inner = self.lock();
        let moment = inner.moment(path);
        let found = inner.streams.get_mut(path).map(|entry| {
            entry.used = true;
            entry.stored.clone()
        });
        (found, moment)
    }

    /// Takes in what a look found that began at this moment, when it is not the first look.
    pub(crate) fn learn(&self, stored: &Stored, began: Moment) {
        let mut inner = self.lock();
        let hash = inner.streams.hasher().hash_one(&stored.info.path);
        let Some(place) = inner.places.get_mut(began.place).filter(|place| place.moves == began.moves) else {
            return;
        };
        if std::mem::replace(&mut place.looked_up, hash) != hash {
            return;
        }
        inner.make_room();
        let entry = Entry { stored: stored.clone(), used: true };
        inner.streams.insert(stored.info.path.clone(), entry);
    }

    /// Whether no commit was noted for the path since that moment.
    pub(crate) fn is_unmoved(&self, since: Moment) -> bool {
        self.lock().places.get(since.place).is_some_and(|place| place.moves == since.moves)
    }

    /// Notes what a commit did, before anybody is told of it.
    pub(crate) fn note<'a>(&self, all: impl Iterator<Item = &'a Moved>) {
        let mut inner = self.lock();
        for moved in all {
            inner.count(&moved.stored.info.path);
            if !inner.streams.is_empty() {
                inner.follow(moved);
            }
        }
    }

    /// Forgets everything: it is not known what a commit moved.
    pub(crate) fn doubt_all(&self) {
        let mut inner = self.lock();
        inner.places.iter_mut().for_each(|place| place.moves += 1);
        inner.streams.clear();
    }

    /// Forgets streams that nobody asked for since the last call.
    pub(crate) fn drop_idle(&self) {
        self.lock().drop_idle();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn place(&self, path: &StreamPath) -> usize {
        usize::try_from(self.streams.hasher().hash_one(path) % PLACES as u64).unwrap_or(0)
    }

    fn moment(&self, path: &StreamPath) -> Moment {
        let place = self.place(path);
        Moment { place, moves: self.places.get(place).map_or(0, |place| place.moves) }
    }

    fn count(&mut self, path: &StreamPath) {
        let place = self.place(path);
        if let Some(place) = self.places.get_mut(place) {
            place.moves += 1;
        }
    }

    fn follow(&mut self, moved: &Moved) {
        let now = &moved.stored;
        let Some(entry) = self.streams.get_mut(&now.info.path) else { return };
        let known = &mut entry.stored;
        // A commit may delete a stream and make another at its path, and is told of both in any order.
        if moved.deleted || known.info.id != now.info.id {
            self.streams.remove(&now.info.path);
            return;
        }
        known.info.start = now.info.start;
        known.info.tail = now.info.tail;
        known.info.closed = now.info.closed;
        known.deadline = now.deadline;
    }

    fn make_room(&mut self) {
        if self.streams.len() >= STREAMS_MAX {
            self.drop_idle();
        }
        if self.streams.len() >= STREAMS_MAX {
            self.streams.clear();
        }
    }

    fn drop_idle(&mut self) {
        self.streams.retain(|_, entry| std::mem::take(&mut entry.used));
        if self.streams.capacity() > self.streams.len().saturating_mul(4).max(64) {
            self.streams.shrink_to_fit();
        }
    }
}
