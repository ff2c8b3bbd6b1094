//! A shard: its readers, their streams, and the loop that waits for news and time.
//!
//! Owns: the order of a turn: who came, what moved, what is due, then the work that this made.
//! Must not: keep the core to itself: after so many writes others get their turn.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::Result;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tidegate_types::Timestamp;
use tokio::time::{Instant, Sleep, sleep_until};

use super::TakeBack;
use super::bell::{Inbox, News};
use super::calendar::{Calendar, Tick};
use super::group::Groups;
use super::page::Pages;
use super::reader::Reader;
use super::recent::Recent;
use super::slots::Slots;
use super::sockets::Sockets;
use crate::AppState;

const FAR: Duration = Duration::from_secs(86_400);

/// Something to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// A stream moved: all its readers.
    Group(u32),
    /// One reader has more to write, or its socket has something to say.
    Reader(u32),
}

pub(super) struct Shard {
    pub(super) state: AppState,
    pub(super) inbox: Arc<Inbox>,
    pub(super) take_back: TakeBack,
    pub(super) readers: Slots<Box<Reader>>,
    pub(super) sockets: Sockets,
    pub(super) groups: Groups,
    pub(super) recent: Recent,
    pub(super) calendar: Calendar,
    pub(super) pages: Pages,
    pub(super) work: VecDeque<Work>,
    pub(super) scratch: Vec<u8>,
    pub(super) serial: u64,
    /// The time of this turn.
    pub(super) now: Now,
    /// Writes since others had their turn.
    pub(super) writes: u32,
    /// Records that went out since the metrics were told.
    pub(super) delivered: u64,
}

/// The time, looked at once in a while and not for each reader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) wall: Timestamp,
    pub(super) instant: Instant,
    pub(super) tick: Tick,
}

impl Shard {
    pub(super) fn new(state: &AppState, inbox: &Arc<Inbox>, take_back: &TakeBack) -> Result<Self> {
        let instant = Instant::now();
        let calendar = Calendar::new(instant);
        let now = Now { wall: state.clock().now(), instant, tick: calendar.tick(instant) };
        Ok(Self {
            state: state.clone(),
            inbox: Arc::clone(inbox),
            take_back: Arc::clone(take_back),
            readers: Slots::default(),
            sockets: Sockets::new()?,
            groups: Groups::default(),
            recent: Recent::default(),
            calendar,
            pages: Pages::default(),
            work: VecDeque::new(),
            scratch: Vec::new(),
            serial: 0,
            now,
            writes: 0,
            delivered: 0,
        })
    }

    pub(super) async fn run(mut self) {
        let mut news = News::default();
        let mut timer = Box::pin(sleep_until(Instant::now() + FAR));
        loop {
            let to_go = self.groups.next_to_go().map(|tick| self.calendar.begin_of(tick));
            let next = self.calendar.next().into_iter().chain(to_go).min();
            let until = next.unwrap_or_else(|| self.now.instant + FAR);
            if timer.deadline() != until {
                timer.as_mut().reset(until);
            }
            poll_fn(|context| self.poll_news(timer.as_mut(), context)).await;
            self.inbox.swap(&mut news);
            if news.cut {
                return;
            }
            self.look_at_the_clock();
            self.take_news(&mut news);
            self.do_what_is_due();
            self.do_work().await;
            if news.closing && self.readers.held() == 0 {
                return;
            }
        }
    }

    fn poll_news(&mut self, timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
        let heard = self.sockets.poll(context).is_ready();
        if self.inbox.poll(context).is_ready() || timer.poll(context).is_ready() || heard {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn take_news(&mut self, news: &mut News) {
        for guest in news.guests.drain(..) {
            self.arrive(guest);
        }
        for page in news.pages.drain(..) {
            self.take_page(page);
        }
        let (readers, work) = (&mut self.readers, &mut self.work);
        self.sockets.drain(|key, heard| {
            if let Some(reader) = readers.find_mut(key) {
                reader.hear(heard);
                work.push_back(Work::Reader(key));
            }
        });
        self.work.extend(news.readers.drain(..).map(Work::Reader));
        self.work.extend(news.groups.drain(..).map(Work::Group));
    }

    pub(super) fn look_at_the_clock(&mut self) {
        let instant = Instant::now();
        self.now = Now { wall: self.state.clock().now(), instant, tick: self.calendar.tick(instant) };
    }
}
