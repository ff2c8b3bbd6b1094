//! The batches that were made last, for the next reader at the same place.
//!
//! Owns: a few of them, whatever stream they are of.
//! Must not: be searched for streams with one reader; nobody else would ask.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_log::StreamId;
use tidegate_types::Offset;

use crate::tail::{Batch, Style};

const KEPT: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<(StreamId, Arc<Batch>)>);

/// What a reader is looking for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) stream: StreamId,
    pub(super) from: Offset,
    pub(super) style: Style,
    pub(super) tail: Offset,
}

impl Recent {
    pub(super) fn find(&self, wanted: &Wanted) -> Option<Arc<Batch>> {
        let fits = |(stream, batch): &&(StreamId, Arc<Batch>)| {
            *stream == wanted.stream && batch.fits(wanted.from, wanted.style, wanted.tail)
        };
        self.0.iter().find(fits).map(|(_, batch)| Arc::clone(batch))
    }

    pub(super) fn put(&mut self, stream: StreamId, batch: &Arc<Batch>) {
        self.0.truncate(KEPT - 1);
        self.0.push_front((stream, Arc::clone(batch)));
    }
}
