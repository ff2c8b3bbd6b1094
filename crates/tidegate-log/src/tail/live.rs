//! Streams that somebody reads live on this node.
//!
//! Owns: each live stream's state and its ring. An entry lives as long as one reader
//! holds a [`Handle`]; a stream without readers has none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_types::Offset;

use super::Frame;
use super::ring::Ring;
use super::watch::{Watch, Watchers};
use crate::store::{Chunk, codec};
use crate::{Record, StreamId, StreamInfo};

const SHARDS: usize = 16;
/// What a ring may hold with records that were there before its first reader.
const KEPT_AHEAD_BYTES: usize = 64 * 1_024;

/// How a live stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LiveState {
    pub(crate) start: Offset,
    pub(crate) tail: Offset,
    pub(crate) closed: bool,
    pub(crate) deleted: bool,
    /// Rises when something may have happened that was not seen here: a commit whose outcome is
    /// unknown, another node's hint. Readers then look at the store.
    pub(crate) doubts: u64,
    /// Rises with every change of the rest.
    pub(super) moves: u64,
}

impl LiveState {
    /// Brings what was found up to this; it may be ahead, since readers are told of a commit last.
    pub(crate) fn bring_up(&self, info: &mut StreamInfo) {
        info.start = info.start.max(self.start);
        info.tail = info.tail.max(self.tail);
        info.closed |= self.closed;
    }
}

#[derive(Debug)]
pub(super) struct Live {
    state: Mutex<LiveState>,
    ring: Mutex<Ring>,
    settled: AtomicBool,
    pub(super) watchers: Watchers,
}

#[derive(Debug)]
struct Entry {
    live: Arc<Live>,
    readers: usize,
}

/// All live streams of this node.
#[derive(Debug)]
pub(crate) struct Registry {
    shards: [Mutex<HashMap<StreamId, Entry>>; SHARDS],
    ring_records: usize,
    ring_bytes: usize,
}

impl Registry {
    pub(crate) fn new(ring_records: usize, ring_bytes: usize) -> Self {
        Self { shards: Default::default(), ring_records, ring_bytes }
    }

    /// Joins the readers of a stream.
    pub(crate) fn join(self: &Arc<Self>, info: &StreamInfo) -> Handle {
        let mut shard = self.shard(info.id);
        let entry = shard.entry(info.id).or_insert_with(|| Entry {
            live: Arc::new(Live {
                state: Mutex::new(LiveState {
                    start: info.start,
                    tail: info.tail,
                    closed: info.closed,
                    deleted: false,
                    doubts: 0,
                    moves: 0,
                }),
                ring: Mutex::new(Ring::new(info.tail)),
                settled: AtomicBool::new(false),
                watchers: Watchers::default(),
            }),
            readers: 0,
        });
        entry.readers += 1;
        Handle { id: info.id, live: Arc::clone(&entry.live), registry: Arc::clone(self) }
    }

    /// Shows the readers of a stream, if there are any, what a commit did. They look when they are told.
    pub(crate) fn publish(&self, info: &StreamInfo, deleted: bool, chunks: &[Chunk]) -> Option<News> {
        let live = self.shard(info.id).get(&info.id).map(|entry| Arc::clone(&entry.live))?;
        // Frames first: who sees the new tail finds them.
        self.fill_ring(&live, chunks);
        live.move_to(info, deleted).then_some(News(live))
    }

    /// Makes the readers of a stream, if there are any, look at the store again.
    pub(crate) fn doubt(&self, id: StreamId) {
        let Some(live) = self.shard(id).get(&id).map(|entry| Arc::clone(&entry.live)) else { return };
        live.settled.store(false, Ordering::Release);
        if live.change(|state| state.doubts += 1) {
            live.watchers.wake();
        }
    }

    fn fill_ring(&self, live: &Live, chunks: &[Chunk]) {
        let mut ring = live.lock_ring();
        for chunk in chunks {
            // A chunk that was encoded a moment ago and can't be read leaves a hole in the ring;
            // its readers then meet the error in the store.
            let Ok(records) = codec::decode_own(&chunk.detached()) else { continue };
            let frames = (1..).zip(records).map(|(n, (at, data))| {
                Arc::new(Frame::new(Record { offset: chunk.first.plus(n), at, data }))
            });
            ring.push(chunk.first, frames);
            ring.shrink(self.ring_records, self.ring_bytes);
        }
    }

    fn leave(&self, id: StreamId) {
        let mut shard = self.shard(id);
        if let Some(entry) = shard.get_mut(&id) {
            entry.readers -= 1;
            if entry.readers == 0 {
                shard.remove(&id);
            }
        }
    }

    fn shard(&self, id: StreamId) -> MutexGuard<'_, HashMap<StreamId, Entry>> {
        let index = usize::try_from(id.get().unsigned_abs() % SHARDS as u64).unwrap_or(0);
        let shard = self.shards.get(index).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn lock_ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> LiveState {
        *self.lock_state()
    }

    /// Positions only rise, and neither closing nor deleting is taken back. Answers whether that was news.
    fn move_to(&self, info: &StreamInfo, deleted: bool) -> bool {
        self.change(|state| {
            state.start = state.start.max(info.start);
            state.tail = state.tail.max(info.tail);
            state.closed |= info.closed;
            state.deleted |= deleted;
        })
    }

    /// Answers whether anything changed, which nobody was told yet.
    fn change(&self, change: impl FnOnce(&mut LiveState)) -> bool {
        let mut state = self.lock_state();
        let before = *state;
        change(&mut state);
        let is_news = *state != before;
        state.moves += u64::from(is_news);
        is_news
    }

    fn lock_state(&self) -> MutexGuard<'_, LiveState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A live stream that moved, and whose readers are not told yet. They are when this is dropped.
#[derive(Debug)]
pub(crate) struct News(Arc<Live>);

impl Drop for News {
    fn drop(&mut self) {
        self.0.watchers.wake();
    }
}

/// One reader's hold on a live stream.
#[derive(Debug)]
pub(crate) struct Handle {
    id: StreamId,
    live: Arc<Live>,
    registry: Arc<Registry>,
}

impl Handle {
    /// Whether some reader looked at the store since the entry was made, so that every commit
    /// is known here.
    pub(crate) fn is_settled(&self) -> bool {
        self.live.settled.load(Ordering::Acquire)
    }

    /// Takes in what the store said after the entry was made.
    pub(crate) fn settle(&self, info: &StreamInfo) {
        if self.live.move_to(info, false) {
            self.live.watchers.wake();
        }
        self.live.settled.store(true, Ordering::Release);
    }

    /// How the stream stands.
    pub(crate) fn state(&self) -> LiveState {
        self.live.state()
    }

    pub(crate) fn watch(&self) -> Watch {
        Watch::new(Arc::clone(&self.live))
    }

    /// Keeps what was read from the store for the next reader that begins there, if it leads up to what is
    /// in memory and is small.
    pub(super) fn keep_ahead(&self, frames: &[Arc<Frame>]) {
        let bytes = self.registry.ring_bytes.min(KEPT_AHEAD_BYTES);
        self.live.lock_ring().lead_in(frames, self.registry.ring_records, bytes);
    }

    pub(super) fn frames_after(&self, cursor: Offset, max_bytes: usize) -> Option<Vec<Arc<Frame>>> {
        self.live.lock_ring().after(cursor, max_bytes)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.registry.leave(self.id);
    }
}
