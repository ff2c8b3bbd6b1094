//! The newest frames of a live stream.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_types::Offset;

use super::Frame;

/// A contiguous run of frames that ends at the newest one that was published.
#[derive(Debug)]
pub(super) struct Ring {
    frames: VecDeque<Arc<Frame>>,
    /// The position before the oldest frame.
    start: Offset,
    bytes: usize,
}

impl Ring {
    pub(super) const fn new(start: Offset) -> Self {
        Self { frames: VecDeque::new(), start, bytes: 0 }
    }

    fn end(&self) -> Offset {
        self.start.plus(self.frames.len() as u64)
    }

    /// Adds the frames that follow `first`. If something is missing before them, the run begins anew.
    pub(super) fn push(&mut self, first: Offset, frames: impl IntoIterator<Item = Arc<Frame>>) {
        if first != self.end() {
            *self = Self::new(first);
        }
        for frame in frames {
            debug_assert_eq!(frame.offset, self.end().plus(1), "offsets are gap-free");
            self.bytes += frame.data.len();
            self.frames.push_back(frame);
        }
    }

    /// Drops the oldest frames beyond the bounds.
    pub(super) fn shrink(&mut self, records: usize, bytes: usize) {
        while self.frames.len() > records || self.bytes > bytes {
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes -= oldest.data.len();
            self.start = oldest.offset;
        }
    }

    /// The frames after `cursor`, at least one and about `max_bytes`; `None` if the cursor lies
    /// outside of the run or at its end.
    pub(super) fn after(&self, cursor: Offset, max_bytes: usize) -> Option<Vec<Arc<Frame>>> {
        if cursor < self.start || cursor >= self.end() {
            return None;
        }
        let skip = usize::try_from(cursor.since(self.start)).ok()?;
        let mut bytes = 0_usize;
        let fitting = self.frames.iter().skip(skip).take_while(|frame| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(frame.data.len().max(1));
            first || bytes <= max_bytes
        });
        Some(fitting.cloned().collect())
    }
}
