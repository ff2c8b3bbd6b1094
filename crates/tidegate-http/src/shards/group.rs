//! The readers of one stream in one shard.
//!
//! Owns: the one listener that wakes the shard for all of them, and who they are.
//! Must not: hold what differs between readers.

use std::collections::HashMap;
use std::sync::Arc;

use tidegate_log::{Listener, StreamId, Tail as LogTail};

use super::bell::{Bell, Inbox, Whose};
use super::reader::Reader;
use super::slots::Slots;

pub(super) struct Group {
    pub(super) stream: StreamId,
    pub(super) readers: Vec<u32>,
    /// A tail at no place of its own, through whose handle all readers read.
    pub(super) source: LogTail,
    pub(super) bell: Arc<Bell>,
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
            let made = Group { stream, readers: Vec::new(), source, bell, _listener: listener };
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

    /// Takes a reader out; answers who stands at its place now, to be told so. The last one takes
    /// the group with it.
    pub(super) fn leave(&mut self, reader: &Reader) -> Option<u32> {
        let group = self.slots.find_mut(reader.group)?;
        let place = reader.place as usize;
        group.readers.swap_remove(place);
        let moved = group.readers.get(place).copied();
        if group.readers.is_empty()
            && let Some(group) = self.slots.take(reader.group)
        {
            self.slots.free(reader.group);
            self.by_stream.remove(&group.stream);
        } else if let Some(group) = self.slots.find_mut(reader.group)
            && group.readers.capacity() > group.readers.len().saturating_mul(4).max(64)
        {
            group.readers.shrink_to(group.readers.len() * 2);
        }
        moved
    }
}
