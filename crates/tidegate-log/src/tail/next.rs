//! The next step of a tail.

use std::sync::Arc;

use tidegate_types::{Offset, ReadFrom};

use super::live::LiveState;
use super::{Frame, Tail, TailStep};
use crate::read::{clamp, records_from};
use crate::store::{ReadQuery, StreamKey};
use crate::{Gap, ReadBound, ReadError};

/// Holders of a source that one reader comes to: itself, and whoever gathers the readers of its stream.
const ALONE: usize = 2;

/// What memory alone can say.
#[derive(Clone, Debug)]
pub enum Look {
    /// What comes next.
    Step(TailStep),
    /// Records are there, but not in memory: [`Tail::page`].
    Behind,
    /// Nothing new.
    Wait,
}

impl Tail {
    /// Waits for what comes next, at most about `max_bytes` of records at once (one record may
    /// be larger). Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    /// The log failed; the tail may be asked again.
    pub async fn next(&mut self, max_bytes: usize) -> Result<TailStep, ReadError> {
        loop {
            // Seen before looked at: what comes after this line ends the wait.
            self.watch.get_or_insert_with(|| Box::new(self.source.handle.watch())).look();
            match self.look(max_bytes) {
                Look::Step(step) => return Ok(step),
                Look::Behind => {
                    if let Some(step) = self.page(max_bytes).await? {
                        return Ok(step);
                    }
                }
                Look::Wait => {
                    if let Some(watch) = self.watch.as_mut() {
                        watch.changed().await;
                    }
                }
            }
        }
    }

    /// What is there already, without waiting. Only looks into memory: `None` also when the
    /// reader is behind and pages from the store are needed.
    pub fn try_next(&mut self, max_bytes: usize) -> Option<TailStep> {
        match self.look(max_bytes) {
            Look::Step(step) => Some(step),
            Look::Behind | Look::Wait => None,
        }
    }

    /// The same, telling apart why there is nothing.
    pub fn look(&mut self, max_bytes: usize) -> Look {
        if let Some(gap) = self.gap.take() {
            return Look::Step(TailStep::Gap(*gap));
        }
        let state = self.source.handle.state();
        if state.deleted {
            return Look::Step(TailStep::Deleted);
        }
        if self.cursor < state.start {
            return Look::Step(self.skip_to(state.start));
        }
        if state.doubts != self.doubts_settled {
            return Look::Behind;
        }
        if self.cursor < state.tail {
            return match self.source.handle.frames_after(self.cursor, max_bytes) {
                Some(frames) => Look::Step(self.hand_out(frames, state)),
                None => Look::Behind,
            };
        }
        if state.closed {
            return Look::Step(TailStep::Closed);
        }
        if !std::mem::replace(&mut self.greeted, true) {
            return Look::Step(TailStep::UpToDate);
        }
        Look::Wait
    }

    /// Reads from the store after [`Look::Behind`]. `None`: look again.
    ///
    /// # Errors
    /// The log failed; the tail may be asked again.
    pub async fn page(&mut self, max_bytes: usize) -> Result<Option<TailStep>, ReadError> {
        let bound = ReadBound {
            records: self.source.core.options.read_records,
            bytes: max_bytes.min(self.source.core.options.read_bytes),
        };
        let query = ReadQuery {
            key: StreamKey::Id(self.source.stored.info.id),
            from: ReadFrom::At(self.cursor),
            records: bound.records,
            bytes: bound.bytes,
        };
        let doubts = self.source.handle.state().doubts;
        let Some(found) = self.source.core.store.read(query).await? else {
            return Ok(Some(TailStep::Deleted));
        };
        // From here on nothing waits: either the step is handed out or nothing has changed.
        self.doubts_settled = doubts;
        self.source.handle.settle(&found.stored.info);
        let (from, gap) = clamp(self.cursor, &found.stored.info);
        if let Some(gap) = gap {
            self.cursor = from;
            return Ok(Some(TailStep::Gap(gap)));
        }
        let records = records_from(&found, self.cursor, bound)?;
        if records.is_empty() {
            return Ok(None);
        }
        let state = self.source.handle.state();
        let frames: Vec<_> = records.into_iter().map(|record| Arc::new(Frame::new(record))).collect();
        if Arc::strong_count(&self.source) > ALONE {
            self.source.handle.keep_ahead(&frames);
        }
        Ok(Some(self.hand_out(frames, state)))
    }

    /// Hands out the next records, at most `max_bytes` of them, if they are in memory and nothing has to
    /// be said before them; says also whether that is all. Else nothing changes.
    pub fn at_hand(&mut self, max_bytes: usize) -> Option<(Vec<Arc<Frame>>, bool)> {
        let reach = self.reach();
        let frames = self.source.handle.frames_after(self.cursor, max_bytes).filter(|frames| {
            let bytes = frames.iter().map(|frame| frame.data.len()).sum::<usize>();
            bytes <= max_bytes && self.is_plain(&reach)
        })?;
        match self.hand_out(frames, reach.0) {
            TailStep::Frames { frames, up_to_date } => Some((frames, up_to_date)),
            TailStep::Gap(_) | TailStep::UpToDate | TailStep::Closed | TailStep::Deleted => None,
        }
    }

    fn skip_to(&mut self, to: Offset) -> TailStep {
        let from = std::mem::replace(&mut self.cursor, to);
        TailStep::Gap(Gap::Trimmed { from, to })
    }

    fn hand_out(&mut self, frames: Vec<Arc<Frame>>, state: LiveState) -> TailStep {
        debug_assert_eq!(
            frames.first().map(|frame| frame.offset),
            Some(self.cursor.plus(1)),
            "a tail neither skips nor repeats"
        );
        if let Some(last) = frames.last() {
            self.cursor = last.offset;
        }
        self.greeted = true;
        self.source.core.note_read(&self.source.stored);
        TailStep::Frames { up_to_date: self.cursor >= state.tail, frames }
    }
}
