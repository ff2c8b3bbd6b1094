//! The readers of one stream in one shard.
//!
//! Owns: the one listener that wakes the shard for all of them, and who they are. A group whose last reader
//! has left rests for a moment: who comes next finds the stream's first records in memory.
//! Must not: hold what differs between readers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tidegate_log::{Listener, StreamId, Tail as LogTail};

use super::bell::{Bell, Inbox, Whose};
use super::calendar::Tick;
use super::reader::Reader;
use super::slots::Slots;

/// How long a group rests, and how many do.
const RESTS_FOR: Duration = Duration::from_secs(1);
const RESTING_MAX: usize = 16;

pub(super) struct Group {
    pub(super) stream: StreamId,
    pub(super) readers: Vec<u32>,
    /// A tail at no place of its own, through whose handle all readers read.
    pub(super) source: LogTail,
    pub(super) bell: Arc<Bell>,
    /// Without readers: when it goes.
    rests_until: Tick,
    _listener: Listener,
}

impl Group {
    /// Whether what one of its readers is sent may be kept for others.
    pub(super) fn shares(&self, reader: &Reader) -> bool {
        self.readers.len() > 1 && reader.writer.shares()
    }
}

#[derive(Default)]
pub(super) struct Groups {
    /// Boxed: the list of places doubles as it grows.
    pub(super) slots: Slots<Box<Group>>,
    by_stream: HashMap<StreamId, u32>,
    /// Groups without readers, in the order in which they go; some have readers again.
    resting: VecDeque<(Tick, u32)>,
}

impl Groups {
    /// Adds a reader to its stream's group, which is made for the first.
    pub(super) fn join(&mut self, inbox: &Arc<Inbox>, key: u32, reader: &mut Reader) {
        let Some(log) = reader.log.as_mut() else { return };
        let stream = log.stream_id();
        let group = *self.by_stream.entry(stream).or_insert_with(|| {
            let group = self.slots.hold();
            let bell = Bell::new(inbox, Whose::Group(group));
            let listener = log.listen(&Arc::clone(&bell).into());
            let source = log.fork();
            let (readers, rests_until) = (Vec::new(), Tick::default());
            let made = Group { stream, readers, source, bell, rests_until, _listener: listener };
            self.slots.put(group, Box::new(made));
            group
        });
        if let Some(found) = self.slots.find_mut(group) {
            log.share(&found.source);
            reader.group = group;
            reader.place = u32::try_from(found.readers.len()).unwrap_or(u32::MAX);
            found.readers.push(key);
        }
    }

    /// Takes a reader out; answers who stands at its place now, to be told so. After the last one the group rests.
    pub(super) fn leave(&mut self, reader: &Reader, now: Tick) -> Option<u32> {
        let group = self.slots.find_mut(reader.group)?;
        let place = reader.place as usize;
        group.readers.swap_remove(place);
        let moved = group.readers.get(place).copied();
        if group.readers.is_empty() {
            group.rests_until = now.plus(RESTS_FOR);
            self.resting.push_back((group.rests_until, reader.group));
            self.wake_from_rest(now);
        } else if group.readers.capacity() > group.readers.len().saturating_mul(4).max(64) {
            group.readers.shrink_to(group.readers.len() * 2);
        }
        moved
    }

    /// When the next group has rested enough.
    pub(super) fn next_to_go(&self) -> Option<Tick> {
        self.resting.front().map(|(until, _)| *until)
    }

    /// Lets those go that have rested enough, or that are too many.
    pub(super) fn wake_from_rest(&mut self, now: Tick) {
        while let Some((until, key)) = self.resting.front().copied()
            && (until <= now || self.resting.len() > RESTING_MAX)
        {
            self.resting.pop_front();
            // It may have had readers since, and rest again, or be another by now.
            let goes = |group: &Group| group.readers.is_empty() && group.rests_until == until;
            if self.slots.find(key).is_some_and(|group| goes(group))
                && let Some(group) = self.slots.take(key)
            {
                self.slots.free(key);
                self.by_stream.remove(&group.stream);
            }
        }
    }
}
