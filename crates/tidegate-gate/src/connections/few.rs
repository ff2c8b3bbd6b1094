//! What makes many connections smaller: lists that nearly always have one, and words that they share.
//!
//! Owns: nothing beyond its bounds; who finds no shared word keeps its own.

use std::hash::{BuildHasher as _, RandomState};

use tidegate_types::{ConnectionId, StreamPath};

/// Connections of one lease: one, but for the moment in which another takes over.
#[derive(Clone, Debug, Default)]
pub(super) struct Few {
    one: Option<ConnectionId>,
    #[expect(clippy::box_collection, reason = "a word instead of three, for each lease")]
    others: Option<Box<Vec<ConnectionId>>>,
}

impl Few {
    pub(super) fn add(&mut self, id: ConnectionId) {
        if self.one.is_none() {
            self.one = Some(id);
        } else {
            self.others.get_or_insert_default().push(id);
        }
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        if let Some(others) = self.others.as_mut() {
            others.retain(|other| *other != id);
        }
        self.one.take_if(|one| *one == id);
        if self.one.is_none() {
            self.one = self.others.as_mut().and_then(|others| others.pop());
        }
        self.others.take_if(|others| others.is_empty());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.one.is_none()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = ConnectionId> {
        self.one.into_iter().chain(self.others.iter().flat_map(|others| others.iter().copied()))
    }
}

/// Paths that are kept at the same time.
const PLACES: usize = 256;

/// The paths that connections came with last. Each request has a copy of its own; readers of one
/// stream keep one of them.
#[derive(Debug)]
pub(super) struct Paths {
    hasher: RandomState,
    places: Box<[Option<StreamPath>]>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { hasher: RandomState::new(), places: vec![None; PLACES].into() }
    }
}

impl Paths {
    /// The same path, held in common with those who came shortly before.
    pub(super) fn shared(&mut self, path: StreamPath) -> StreamPath {
        let hash = self.hasher.hash_one(&path);
        let at = usize::try_from(hash % PLACES as u64).unwrap_or(0);
        let Some(place) = self.places.get_mut(at) else { return path };
        match place {
            Some(known) if *known == path => known.clone(),
            _ => place.insert(path).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_types::{OsEntropy, Timestamp};

    fn id() -> ConnectionId {
        ConnectionId::generate(Timestamp::from_millis(1), &OsEntropy)
    }

    #[test]
    fn a_list_loses_whom_it_is_told_and_nobody_else() {
        let [a, b, c] = [id(), id(), id()];
        for gone in [a, b, c] {
            let mut few = Few::default();
            [a, b, c].into_iter().for_each(|id| few.add(id));
            few.remove(gone);
            let mut left: Vec<_> = few.iter().collect();
            left.sort();
            let mut expected: Vec<_> = [a, b, c].into_iter().filter(|id| *id != gone).collect();
            expected.sort();
            assert_eq!(left, expected);
            expected.into_iter().for_each(|id| few.remove(id));
            assert!(few.is_empty() && few.iter().next().is_none());
        }
    }

    #[test]
    fn readers_of_one_stream_hold_one_path_and_no_more_are_kept_than_there_are_places() {
        let mut paths = Paths::default();
        let path = |n: usize| format!("a/{n}").parse::<StreamPath>().unwrap();
        let (one, two) = (paths.shared(path(1)), paths.shared(path(1)));
        assert_eq!(one.as_str().as_ptr(), two.as_str().as_ptr());
        for n in 0..10 * PLACES {
            assert_eq!(paths.shared(path(n)), path(n));
        }
        assert_eq!(paths.places.len(), PLACES);
    }
}
