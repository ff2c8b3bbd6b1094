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

use std::fmt;
use std::sync::Arc;

use tidegate_types::{Offset, ReadFrom};
use tokio::sync::watch;

pub use self::frame::{Frame, Framing};
pub(crate) use self::live::{Handle, LiveState, Registry};
use crate::core::Core;
use crate::read::{clamp, start_of};
use crate::store::Stored;
use crate::{Gap, StreamInfo};

/// A live reader: a cursor and a handle, no queue. See [`crate::Log::tail`].
pub struct Tail {
    core: Arc<Core>,
    stored: Stored,
    handle: Handle,
    state: watch::Receiver<LiveState>,
    cursor: Offset,
    gap: Option<Gap>,
    /// Whether the reader has been told anything yet.
    greeted: bool,
    /// Doubts that were settled by a look at the store.
    doubts_settled: u64,
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
        let state = handle.watch();
        let now = *state.borrow();
        stored.info.start = now.start;
        stored.info.tail = now.tail;
        stored.info.closed = now.closed;
        let (cursor, gap) = match from {
            ReadFrom::At(offset) => clamp(offset, &stored.info),
            ReadFrom::Start | ReadFrom::Tail => (start_of(from, &stored.info), None),
        };
        let doubts_settled = now.doubts;
        Self { core, stored, handle, state, cursor, gap, greeted: false, doubts_settled }
    }

    /// The stream as it was when the tail was opened.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.stored.info
    }

    /// The position after the last record that was handed out.
    #[must_use]
    pub fn cursor(&self) -> Offset {
        self.cursor
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail")
            .field("stream", &self.stored.info.path)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}
