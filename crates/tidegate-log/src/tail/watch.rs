//! Being told that a live stream moved.
//!
//! Owns: the wakers of those who wait; a waker stays until its holder goes, so no news is missed
//! between a look and the wait that follows it.
//! Must not: carry what happened; who is woken looks for itself.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::live::{Live, LiveState};

/// Everyone who waits on one stream.
#[derive(Debug, Default)]
pub(super) struct Watchers(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
}

impl Watchers {
    pub(super) fn wake(&self) {
        self.lock().wakers.iter().flatten().for_each(Waker::wake_by_ref);
    }

    fn put(&self, place: &mut Option<u32>, waker: &Waker) {
        let mut places = self.lock();
        let held = place.and_then(|at| places.wakers.get_mut(at as usize)).and_then(Option::as_mut);
        match held {
            Some(held) if held.will_wake(waker) => {}
            Some(held) => {
                let before = std::mem::replace(held, waker.clone());
                // Dropping a waker may drop what it wakes, which may hold a place here.
                drop(places);
                drop(before);
            }
            None => *place = places.take(waker.clone()),
        }
    }

    fn leave(&self, place: u32) {
        let mut places = self.lock();
        let before = places.wakers.get_mut(place as usize).and_then(Option::take);
        places.free.push(place);
        drop(places);
        drop(before);
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn take(&mut self, waker: Waker) -> Option<u32> {
        if let Some(place) = self.free.pop() {
            *self.wakers.get_mut(place as usize)? = Some(waker);
            return Some(place);
        }
        let place = u32::try_from(self.wakers.len()).ok()?;
        self.wakers.reserve_exact(if place < 2 { 1 } else { self.wakers.len() / 2 });
        self.wakers.push(Some(waker));
        Some(place)
    }
}

/// One holder's wait on a live stream.
#[derive(Debug)]
pub(crate) struct Watch {
    live: Arc<Live>,
    place: Option<u32>,
    seen: u64,
}

impl Watch {
    /// Everything that happened before this call counts as seen only after [`Watch::look`].
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self { live, place: None, seen: u64::MAX }
    }

    /// How the stream stands; only what comes after this is news.
    pub(crate) fn look(&mut self) -> LiveState {
        let state = self.live.state();
        self.seen = state.moves;
        state
    }

    /// Waits for news since the last look. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        poll_fn(|context| self.poll_changed(context)).await;
    }

    fn poll_changed(&mut self, context: &Context<'_>) -> Poll<()> {
        self.wake_with(context.waker());
        if self.live.state().moves == self.seen { Poll::Pending } else { Poll::Ready(()) }
    }

    pub(super) fn wake_with(&mut self, waker: &Waker) {
        self.live.watchers.put(&mut self.place, waker);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.live.watchers.leave(place);
        }
    }
}

/// While it lives, its waker is woken whenever the stream moves.
#[derive(Debug)]
pub struct Listener {
    _watch: Watch,
}

impl Listener {
    pub(super) fn new(mut watch: Watch, waker: &Waker) -> Self {
        watch.wake_with(waker);
        Self { _watch: watch }
    }
}
