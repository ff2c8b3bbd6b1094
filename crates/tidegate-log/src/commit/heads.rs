//! The heads of streams that are being written, kept by the side of the writer.
//!
//! Sound because only this process writes streams; bounded because a head can always be read
//! again. A stream that nobody writes costs nothing but its rows.

use std::collections::{HashMap, VecDeque};

use tidegate_types::{StreamPath, Timestamp};

use super::command::Command;
use super::head::Head;
use crate::store::{HeadNeed, Loaded, Needs};

#[derive(Debug)]
pub(crate) struct Heads {
    /// Boxed: half of the places of a table may be empty.
    by_path: HashMap<StreamPath, Box<Head>>,
    max: usize,
    round: u64,
    /// Deleted streams that are known for this round only: when their last fork goes is the store's to know.
    gone: Vec<StreamPath>,
    /// The latest time that was given to a commit: record times never go back.
    last_at: Timestamp,
}

impl Heads {
    pub(crate) fn new(max: usize) -> Self {
        let last_at = Timestamp::from_millis(i64::MIN);
        Self { by_path: HashMap::new(), max: max.max(1), round: 0, gone: Vec::new(), last_at }
    }

    /// The number of the round that was begun last.
    pub(crate) const fn round(&self) -> u64 {
        self.round
    }

    /// Begins a round. Answers the time that its records carry.
    pub(crate) fn begin_round(&mut self, now: Timestamp) -> Timestamp {
        self.round += 1;
        self.last_at = self.last_at.max(now);
        self.last_at
    }

    /// What must be loaded before these commands can be planned.
    pub(crate) fn needs(&mut self, commands: &VecDeque<Command>) -> Needs {
        for path in commands.iter().filter(|c| c.producer().is_some()).map(Command::path) {
            self.by_path.get_mut(path).into_iter().for_each(|head| head.shrink());
        }
        let mut places: HashMap<&StreamPath, usize> = HashMap::new();
        let mut needs = Needs::default();
        for command in commands {
            needs.new_streams += usize::from(command.creates());
            let known = self.by_path.get(command.path());
            let lacking = command.producer().filter(|id| known.is_none_or(|head| head.lacks_producer(id)));
            if let Some(source) = command.source().filter(|source| !self.by_path.contains_key(source)) {
                places.entry(source).or_insert_with(|| {
                    needs.heads.push(HeadNeed { path: source.clone(), producers: Vec::new() });
                    needs.heads.len() - 1
                });
            }
            if known.is_some() && lacking.is_none() {
                continue;
            }
            let place = *places.entry(command.path()).or_insert_with(|| {
                needs.heads.push(HeadNeed { path: command.path().clone(), producers: Vec::new() });
                needs.heads.len() - 1
            });
            if let (Some(id), Some(need)) = (lacking, needs.heads.get_mut(place))
                && !need.producers.iter().any(|known| known == id)
            {
                need.producers.push(id.to_owned());
            }
        }
        needs
    }

    /// Takes in what was loaded. A head that is here already only learns of producers.
    pub(crate) fn learn(&mut self, needs: Needs, loaded: Loaded) {
        for (need, found) in needs.heads.into_iter().zip(loaded.heads) {
            match (self.by_path.get_mut(&need.path), found) {
                (Some(head), Some(found)) => {
                    for (id, state) in need.producers.into_iter().zip(found.producers) {
                        head.remember_producer(id, state);
                    }
                }
                (None, Some(mut found)) => {
                    found.stored.info.share(&need.path);
                    if found.stored.gone {
                        self.gone.push(need.path.clone());
                    }
                    self.by_path.insert(need.path, Box::new(Head::load(found, need.producers)));
                }
                (_, None) => {}
            }
        }
    }

    pub(crate) fn find(&mut self, path: &StreamPath) -> Option<&mut Head> {
        let round = self.round;
        let head = self.by_path.get_mut(path)?;
        head.used = round;
        Some(&mut **head)
    }

    pub(crate) fn insert(&mut self, path: StreamPath, mut head: Head) {
        head.used = self.round;
        self.by_path.insert(path, Box::new(head));
    }

    pub(crate) fn forget(&mut self, path: &StreamPath) {
        self.by_path.remove(path);
    }

    pub(crate) fn clear(&mut self) {
        self.by_path.clear();
        self.gone.clear();
    }

    /// Notes that a stream is deleted and its forks are not.
    pub(crate) fn mark_gone(&mut self, path: &StreamPath) {
        if let Some(head) = self.by_path.get_mut(path) {
            head.stored.gone = true;
            self.gone.push(path.clone());
        }
    }

    /// Forgets the deleted streams of this round.
    pub(crate) fn drop_gone(&mut self) {
        for path in std::mem::take(&mut self.gone) {
            if self.by_path.get(&path).is_some_and(|head| head.stored.gone) {
                self.by_path.remove(&path);
            }
        }
    }

    /// Drops the longest unused heads down to three quarters of the bound, once it is passed.
    pub(crate) fn shrink(&mut self) {
        if self.by_path.len() <= self.max {
            return;
        }
        let mut used: Vec<u64> = self.by_path.values().map(|head| head.used).collect();
        let drop_count = used.len() - self.max / 4 * 3;
        let (_, oldest_kept, _) = used.select_nth_unstable(drop_count.min(self.by_path.len() - 1));
        let limit = *oldest_kept;
        // Heads of the present round may share one number: the bound holds at the next round then.
        self.by_path.retain(|_, head| head.used >= limit);
    }

    /// Drops heads that were not used since the last call but one.
    pub(crate) fn drop_idle(&mut self, since: u64) -> u64 {
        self.by_path.retain(|_, head| head.used > since);
        self.round
    }
}
