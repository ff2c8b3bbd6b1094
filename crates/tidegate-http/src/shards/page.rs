//! Pages from the log for readers that are behind what memory holds.
//!
//! Owns: that only a few are read at a time, since each is a buffer; who has to wait keeps its cursor.
//! Must not: block a round: a page comes back through the inbox.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_log::{ReadError, Tail as LogTail, TailStep};

use super::bell::Inbox;

const AT_ONCE: usize = 4;

/// A page that was read, and the tail that it was read with.
pub(super) struct Page {
    pub(super) key: u32,
    pub(super) serial: u64,
    pub(super) log: LogTail,
    pub(super) step: Result<Option<TailStep>, ReadError>,
}

#[derive(Default)]
pub(super) struct Pages {
    under_way: usize,
    waiting: VecDeque<(u32, u64)>,
}

impl Pages {
    pub(super) fn ask(&mut self, key: u32, serial: u64) {
        self.waiting.push_back((key, serial));
    }

    /// The next reader whose page may be read now.
    pub(super) fn next(&mut self) -> Option<(u32, u64)> {
        if self.under_way < AT_ONCE { self.waiting.pop_front() } else { None }
    }

    pub(super) fn start(&mut self, inbox: &Arc<Inbox>, asked: (u32, u64), mut log: LogTail, bytes: usize) {
        self.under_way += 1;
        let inbox = Arc::clone(inbox);
        tokio::spawn(async move {
            let step = log.page(bytes).await;
            inbox.put_page(Page { key: asked.0, serial: asked.1, log, step });
        });
    }

    pub(super) fn done(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}
