//! How a shard hears of anything: one inbox, and a bell for each socket and each stream.
//!
//! Owns: that a shard is woken once, whatever rings, and that a bell that rang is not rung again
//! before the shard has looked.
//! Must not: grow without bound: guests are bounded by the caps of sockets, bells ring once each, and
//! pages are asked for a few at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::Guest;
use super::page::Page;

/// What came since the shard last looked.
#[derive(Default)]
pub(super) struct News {
    pub(super) guests: Vec<Guest>,
    /// Readers whose bell rang: the socket or the gate has something to say.
    pub(super) readers: Vec<u32>,
    /// Streams that moved.
    pub(super) groups: Vec<u32>,
    pub(super) pages: Vec<Page>,
    pub(super) closing: bool,
    pub(super) cut: bool,
    /// The shard itself has more to do.
    knocked: bool,
}

#[derive(Default)]
struct Inner {
    news: News,
    waker: Option<Waker>,
}

/// A shard's inbox.
#[derive(Default)]
pub(super) struct Inbox(Mutex<Inner>);

impl Inbox {
    pub(super) fn put_guest(&self, guest: Guest) {
        self.put(|news| news.guests.push(guest));
    }

    pub(super) fn put_page(&self, page: Page) {
        self.put(|news| news.pages.push(page));
    }

    /// Makes the shard come back at once.
    pub(super) fn knock(&self) {
        self.put(|news| news.knocked = true);
    }

    pub(super) fn close(&self) {
        self.put(|news| (news.closing, news.knocked) = (true, true));
    }

    pub(super) fn cut(&self) {
        self.put(|news| news.cut = true);
    }

    /// Swaps the news for empty lists.
    pub(super) fn swap(&self, news: &mut News) {
        news.knocked = false;
        let mut inner = self.lock();
        (news.closing, news.cut) = (inner.news.closing, inner.news.cut);
        std::mem::swap(&mut inner.news, news);
        (inner.news.closing, inner.news.cut) = (news.closing, news.cut);
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.news.is_worth_a_look() {
            return Poll::Ready(());
        }
        if !inner.waker.as_ref().is_some_and(|held| held.will_wake(context.waker())) {
            inner.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    fn put(&self, put: impl FnOnce(&mut News)) {
        let waker = {
            let mut inner = self.lock();
            put(&mut inner.news);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News {
    fn is_worth_a_look(&self) -> bool {
        let lists = self.guests.len() + self.readers.len() + self.groups.len() + self.pages.len();
        lists > 0 || self.knocked || self.cut
    }
}

/// Whose bell it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    Reader(u32),
    Group(u32),
}

/// A waker that tells the shard who was woken.
pub(super) struct Bell {
    inbox: Arc<Inbox>,
    whose: Whose,
    rang: AtomicBool,
}

impl Bell {
    pub(super) fn new(inbox: &Arc<Inbox>, whose: Whose) -> Arc<Self> {
        Arc::new(Self { inbox: Arc::clone(inbox), whose, rang: AtomicBool::new(false) })
    }

    /// Call it before looking: what comes after rings again.
    pub(super) fn is_heard(&self) {
        self.rang.store(false, Ordering::SeqCst);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rang.swap(true, Ordering::SeqCst) {
            return;
        }
        match self.whose {
            Whose::Reader(key) => self.inbox.put(|news| news.readers.push(key)),
            Whose::Group(key) => self.inbox.put(|news| news.groups.push(key)),
        }
    }
}
