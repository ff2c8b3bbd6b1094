//! Live reading.
mod frame;
pub use frame::{Frame, Framing};
use std::sync::Arc;

use tidegate_types::Offset;

use crate::{Gap, ReadError, StreamInfo};

/// A live reader: a cursor and a handle, no queue. See [`crate::Log::tail`].
#[derive(Debug)]
pub struct Tail {
    info: StreamInfo,
    cursor: Offset,
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
    /// The stream as it was when the tail was opened.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// The position after the last record that was handed out.
    #[must_use]
    pub fn cursor(&self) -> Offset {
        self.cursor
    }

    /// Waits for what comes next, at most about `max_bytes` of records at once (one record may
    /// be larger). Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    /// The log failed; the tail may be asked again.
    pub async fn next(&mut self, max_bytes: usize) -> Result<TailStep, ReadError> {
        let _ = max_bytes;
        Err(ReadError::NotFound)
    }

    /// What is there already, without waiting. Only looks into memory: `None` also when the
    /// reader is behind and pages from the store are needed.
    pub fn try_next(&mut self, max_bytes: usize) -> Option<TailStep> {
        let _ = max_bytes;
        None
    }
}
