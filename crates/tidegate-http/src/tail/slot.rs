//! Where a tail's pump leaves chunks and its reader takes them.
//!
//! Owns: the hand-over between the two; the pump goes on only when the slot is empty.
//! Must not: grow: it holds what one step made, and nothing while a tail is at rest.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;

/// Both ends hold one.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<Mutex<VecDeque<Bytes>>>);

/// A queue this small is kept between steps; a larger one is given back.
const KEPT_CAPACITY: usize = 4;

impl Slot {
    /// Leaves chunks without waiting for their reader.
    pub(super) fn put(&self, chunks: impl IntoIterator<Item = Bytes>) {
        self.lock().extend(chunks.into_iter().filter(|chunk| !chunk.is_empty()));
    }

    /// Takes the next chunk.
    pub(super) fn take(&self) -> Option<Bytes> {
        let mut waiting = self.lock();
        let chunk = waiting.pop_front();
        if waiting.is_empty() && waiting.capacity() > KEPT_CAPACITY {
            *waiting = VecDeque::new();
        }
        chunk
    }

    /// Waits until everything was taken. Needs no waker: the reader polls the pump again only then.
    pub(super) async fn drained(&self) {
        std::future::poll_fn(|_| if self.is_empty() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
