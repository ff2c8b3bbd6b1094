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

    /// Puts frames before the oldest one that lead up to it, if all of them fit the bounds.
    pub(super) fn lead_in(&mut self, frames: &[Arc<Frame>], records: usize, bytes: usize) {
        let missing = frames.partition_point(|frame| frame.offset <= self.start);
        let Some(frames) = frames.get(..missing) else { return };
        let added: usize = frames.iter().map(|frame| frame.data.len()).sum();
        let leads_here = frames.last().is_some_and(|last| last.offset == self.start);
        if !leads_here || self.frames.len() + frames.len() > records || self.bytes + added > bytes {
            return;
        }
        self.bytes += added;
        for frame in frames.iter().rev() {
            self.frames.push_front(Arc::clone(frame));
        }
        if let Some(first) = frames.first() {
            self.start = Offset::new(first.offset.get().saturating_sub(1)).unwrap_or(self.start);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use bytes::Bytes;
    use tidegate_types::Timestamp;

    fn frames(offsets: std::ops::RangeInclusive<u64>) -> Vec<Arc<Frame>> {
        let record = |n| Record {
            offset: Offset::new(n).unwrap(),
            at: Timestamp::from_millis(0),
            data: Bytes::from_static(b"xx"),
        };
        offsets.map(|n| Arc::new(Frame::new(record(n)))).collect()
    }

    fn from(ring: &Ring, cursor: u64) -> Option<Vec<u64>> {
        let found = ring.after(Offset::new(cursor).unwrap(), 1_000)?;
        Some(found.iter().map(|frame| frame.offset.get()).collect())
    }

    #[test]
    fn frames_that_lead_up_to_the_oldest_are_put_before_it() {
        let mut ring = Ring::new(Offset::new(4).unwrap());
        ring.lead_in(&frames(1..=3), 10, 100);
        assert_eq!(from(&ring, 0), None, "4 is missing");
        ring.lead_in(&frames(3..=6), 10, 100);
        assert_eq!(from(&ring, 2), Some(vec![3, 4]), "what it does not have yet is told by its commit");
        ring.push(Offset::new(4).unwrap(), frames(5..=5));
        ring.lead_in(&frames(2..=5), 10, 100);
        assert_eq!(from(&ring, 1), Some(vec![2, 3, 4, 5]));
        assert_eq!(from(&ring, 0), None);
        ring.shrink(2, 100);
        assert_eq!((from(&ring, 2), from(&ring, 3), ring.bytes), (None, Some(vec![4, 5]), 4));
    }

    #[test]
    fn what_does_not_fit_as_a_whole_is_left_out() {
        let mut ring = Ring::new(Offset::new(4).unwrap());
        ring.lead_in(&frames(1..=4), 3, 100);
        ring.lead_in(&frames(1..=4), 10, 7);
        assert_eq!(from(&ring, 3), None);
        ring.lead_in(&frames(1..=4), 4, 8);
        assert_eq!(from(&ring, 0), Some(vec![1, 2, 3, 4]));
    }
}
