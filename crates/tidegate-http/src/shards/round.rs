//! The work of one turn, with a breath for others after so many writes.
//!
//! Owns: that one wake serves all readers of a stream, and that what arrives meanwhile waits for the
//! next write of each socket: that is all the coalescing there is, and it needs no timer.

use super::shard::{Shard, Work};

/// About a tenth of a millisecond of the kernel's work.
const WRITES_AT_ONCE: u32 = 32;

impl Shard {
    pub(super) async fn do_work(&mut self) {
        self.start_pages();
        // What this work makes waits for the next turn but one look at the inbox lies in between.
        let mut left = self.work.len();
        while left > 0 {
            left -= 1;
            match self.work.pop_front() {
                Some(Work::Reader(key)) => self.attend(key),
                Some(Work::Group(key)) => self.go_round(key).await,
                None => break,
            }
            self.breathe().await;
        }
        self.start_pages();
        self.tell_metrics();
        if !self.work.is_empty() {
            self.inbox.knock();
        }
    }

    /// All readers of a stream that moved.
    async fn go_round(&mut self, group: u32) {
        let Some(found) = self.groups.slots.find(group) else { return };
        found.bell.is_heard();
        let mut at = found.readers.len();
        // From the back: who leaves is replaced by one who was served already.
        while at > 0 {
            at -= 1;
            let Some(found) = self.groups.slots.find(group) else { return };
            let Some(key) = found.readers.get(at).copied() else { continue };
            self.serve(key);
            self.breathe().await;
        }
    }

    async fn breathe(&mut self) {
        if self.writes < WRITES_AT_ONCE {
            return;
        }
        self.writes = 0;
        self.tell_metrics();
        // On a core that others want too, the log's writer among them: what it commits meanwhile goes
        // out in this round, instead of in one of its own after the scheduler's slice.
        std::thread::yield_now();
        tokio::task::yield_now().await;
        self.look_at_the_clock();
    }

    fn tell_metrics(&mut self) {
        if self.delivered > 0 {
            self.state.metrics().events_delivered(std::mem::take(&mut self.delivered));
        }
    }
}
