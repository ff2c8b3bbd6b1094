//! Live reading: a tail is a cursor and a handle.
//!
//! Owns: frames, the node's rings, the order gap → frames → up to date → end.
//! Must not: queue anything for a reader; know how frames go out.
//!
//! A tail never skips or repeats: it joins the stream's live readers, then reads from its cursor, then
//! follows. When its cursor is not in the ring it reads the log again by cursor.

mod frame;
mod live;
mod next;
mod ring;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use tidegate_types::{Offset, ReadFrom};

pub use self::frame::{Frame, Framing};
pub(crate) use self::live::{Handle, LiveState, News, Registry};
pub use self::next::Look;
pub use self::watch::Listener;
use self::watch::Watch;
use crate::core::Core;
use crate::read::{clamp, start_of};
use crate::store::Stored;
use crate::{Gap, StreamId, StreamInfo};

/// A live reader: a cursor and a handle, no queue. See [`crate::Log::tail`].
pub struct Tail {
    source: Arc<Source>,
    cursor: Offset,
    /// Boxed, as the next: a tail at rest among others of its stream has neither.
    gap: Option<Box<Gap>>,
    /// Whether the reader has been told anything yet.
    greeted: bool,
    /// Doubts that were settled by a look at the store.
    doubts_settled: u64,
    /// Made by the first wait.
    watch: Option<Box<Watch>>,
}

/// Where a tail reads from; readers of one stream may share it.
struct Source {
    core: Arc<Core>,
    stored: Stored,
    handle: Handle,
}

/// How far a live stream reaches at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach(LiveState);

impl Reach {
    /// The position after the newest record.
    #[must_use]
    pub const fn tail(&self) -> Offset {
        self.0.tail
    }
}

/// What comes next on a tail.
#[derive(Clone, Debug)]
pub enum TailStep {
    /// What can't be replayed; once per hole, before reading goes on after it.
    Gap(Gap),
    /// The next records, without holes; never empty.
    Frames {
        /// In order.
        frames: Vec<Arc<Frame>>,
        /// Whether the reader has now seen everything there is.
        up_to_date: bool,
    },
    /// The reader stands at the tail and has read nothing yet; at most once.
    UpToDate,
    /// The stream is closed and all of it was read.
    Closed,
    /// The stream was deleted or expired.
    Deleted,
}

impl Tail {
    pub(crate) fn new(core: Arc<Core>, handle: Handle, mut stored: Stored, from: ReadFrom) -> Self {
        let now = handle.state();
        now.bring_up(&mut stored.info);
        let (cursor, gap) = match from {
            ReadFrom::At(offset) => clamp(offset, &stored.info),
            ReadFrom::Start | ReadFrom::Tail => (start_of(from, &stored.info), None),
        };
        let source = Arc::new(Source { core, stored, handle });
        Self {
            source,
            cursor,
            gap: gap.map(Box::new),
            greeted: false,
            doubts_settled: now.doubts,
            watch: None,
        }
    }

    /// The stream as it was when the tail was opened.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.source.stored.info
    }

    /// Which stream it reads.
    #[must_use]
    pub fn stream_id(&self) -> StreamId {
        self.source.stored.info.id
    }

    /// The position after the last record that was handed out.
    #[must_use]
    pub fn cursor(&self) -> Offset {
        self.cursor
    }

    /// Reads through the handle of `other` from now on, if both read the same stream: what many
    /// readers of one stream hold in common is held once. [`Tail::info`] is then that of `other`.
    pub fn share(&mut self, other: &Self) {
        if self.stream_id() == other.stream_id() {
            self.source = Arc::clone(&other.source);
            self.watch = None;
        }
    }

    /// A second reader at the same place, through the same handle.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            source: Arc::clone(&self.source),
            cursor: self.cursor,
            gap: None,
            greeted: self.greeted,
            doubts_settled: self.doubts_settled,
            watch: None,
        }
    }

    /// Wakes `waker` whenever the stream moves, as long as the answer lives. Register first, look
    /// second: then nothing is missed.
    #[must_use = "dropping it ends the listening"]
    pub fn listen(&self, waker: &Waker) -> Listener {
        Listener::new(self.source.handle.watch(), waker)
    }

    /// How far the stream reaches now.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach(self.source.handle.state())
    }

    /// Whether nothing but records comes next, so that what another reader was handed after the
    /// same cursor may be handed to this one too.
    #[must_use]
    pub fn is_plain(&self, reach: &Reach) -> bool {
        let state = &reach.0;
        self.gap.is_none()
            && !state.deleted
            && state.doubts == self.doubts_settled
            && self.cursor >= state.start
            && self.cursor < state.tail
    }

    /// Sets the cursor: forward past records that were handed out to another reader at the same
    /// place, or back to a record that was handed out and not taken.
    pub fn move_to(&mut self, cursor: Offset) {
        self.cursor = cursor;
        self.greeted = true;
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail")
            .field("stream", &self.info().path)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}
