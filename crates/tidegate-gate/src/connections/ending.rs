//! The one bit of news that a live connection waits for: that it should end, and why.
//!
//! Owns: the first reason, and whom to wake for it. One waiter is enough: whoever serves the connection.
//! Must not: cost more than that; there is one for each open socket.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::EndReason;

#[derive(Debug, Default)]
pub(super) struct Ending(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reason: Option<EndReason>,
    waker: Option<Waker>,
}

impl Ending {
    pub(super) fn reason(&self) -> Option<EndReason> {
        self.lock().reason
    }

    /// Answers whether this was the first reason; later ones are dropped.
    pub(super) fn set(&self, reason: EndReason) -> bool {
        let waker = {
            let mut inner = self.lock();
            if inner.reason.is_some() {
                return false;
            }
            inner.reason = Some(reason);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<EndReason> {
        let mut inner = self.lock();
        if let Some(reason) = inner.reason {
            return Poll::Ready(reason);
        }
        if inner.waker.as_ref().is_some_and(|held| held.will_wake(context.waker())) {
            return Poll::Pending;
        }
        let before = inner.waker.replace(context.waker().clone());
        // Dropping a waker may drop what it wakes, which may come by here.
        drop(inner);
        drop(before);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
