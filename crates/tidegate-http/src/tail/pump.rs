//! The life of one tail: wait for a record, a ping, an expiry or the end, and leave chunks.
//!
//! Owns: the order in which these count: the gate's word first, then time, then records.
//! Must not: buffer: it takes the next step only when the last one's chunks are gone.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tidegate_gate::EndReason;
use tidegate_log::{ReadError, Tail as LogTail, TailStep};
use tidegate_types::Offset;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Counted;
use super::held::Held;
use super::open::RETRY_MS;
use super::slot::Slot;
use super::write::Writer;
use crate::AppState;
use crate::server::{SocketProgress, TailMode};

/// How long a tail outlives a database that can't be read.
const READ_RETRIES: u32 = 30;
const READ_RETRY_AFTER: Duration = Duration::from_secs(1);

/// All that one open tail holds.
pub(super) struct Pump {
    pub(super) state: AppState,
    pub(super) tail: LogTail,
    pub(super) connection: Held,
    pub(super) ended: watch::Receiver<Option<EndReason>>,
    pub(super) socket: SocketProgress,
    pub(super) _mode: TailMode,
    pub(super) counted: Counted,
    pub(super) writer: Writer,
    pub(super) slot: Slot,
    pub(super) first: Offset,
    pub(super) ping: Duration,
    pub(super) expires: Option<Instant>,
}

enum Event {
    Ended(EndReason),
    Due,
    Step(Result<TailStep, ReadError>),
}

impl Pump {
    pub(super) async fn run(&mut self) {
        let mut ping_at = Instant::now() + self.ping;
        let timer = sleep_until(self.wake_at(ping_at));
        tokio::pin!(timer);
        let mut failures = 0;
        loop {
            let end = match self.next(timer.as_mut()).await {
                Event::Ended(reason) => Some(reason),
                Event::Due if self.is_expired() => Some(EndReason::Reauth),
                Event::Due => {
                    self.slot.put([self.writer.ping(self.state.clock().now())]);
                    ping_at = Instant::now() + self.ping;
                    None
                }
                Event::Step(Ok(step)) => {
                    failures = 0;
                    if !self.writer.pings_always() {
                        ping_at = Instant::now() + self.ping;
                    }
                    self.take(step)
                }
                Event::Step(Err(error)) => {
                    failures += 1;
                    self.outlive(&error, failures).await
                }
            };
            if let Some(reason) = end {
                return self.end(reason).await;
            }
            self.slot.drained().await;
            let wake_at = self.wake_at(ping_at);
            if timer.deadline() != wake_at {
                timer.as_mut().reset(wake_at);
            }
        }
    }

    async fn next(&mut self, timer: Pin<&mut Sleep>) -> Event {
        let max_bytes = usize::try_from(self.state.limits().tail_write_bytes).unwrap_or(usize::MAX);
        let (connection, socket) = (&self.connection, &self.socket);
        // Each wake of the socket's task comes by here, so the gate learns when a stall is over.
        let watch_socket = poll_fn(|_| {
            connection.progressed(socket.is_write_blocked());
            Poll::<()>::Pending
        });
        tokio::select! {
            biased;
            () = watch_socket => Event::Due,
            reason = ended(&mut self.ended) => Event::Ended(reason),
            () = timer => Event::Due,
            step = self.tail.next(max_bytes) => Event::Step(step),
        }
    }

    /// Leaves a step's chunks; a reason if the step is the last.
    fn take(&mut self, step: TailStep) -> Option<EndReason> {
        let now = self.state.clock().now();
        match step {
            TailStep::Gap(gap) => self.slot.put(self.writer.gap(&gap)),
            TailStep::Frames { frames, up_to_date } => {
                self.slot.put(self.writer.frames(&frames, up_to_date, now));
                if let Some(last) = frames.last() {
                    self.connection.note_offsets(self.first, last.offset);
                    self.state.metrics().events_delivered(frames.len() as u64);
                }
            }
            TailStep::UpToDate => self.slot.put(self.writer.up_to_date(self.tail.cursor(), now)),
            TailStep::Closed => return Some(EndReason::Eof),
            TailStep::Deleted => return Some(EndReason::Deleted),
        }
        None
    }

    /// The log could not be read: waits a little, and gives up in the end. Nothing is lost by it,
    /// since the reader's cursor stays where it is.
    async fn outlive(&mut self, error: &ReadError, failures: u32) -> Option<EndReason> {
        tracing::warn!(error.message = %error, failures, "a live stream could not be read");
        if failures >= READ_RETRIES {
            return Some(EndReason::Reauth);
        }
        tokio::select! {
            reason = ended(&mut self.ended) => Some(reason),
            () = tokio::time::sleep(READ_RETRY_AFTER) => None,
        }
    }

    async fn end(&mut self, reason: EndReason) {
        // After a drain all of them come back at once; each gets a time of its own.
        let spread = reason == EndReason::Drain;
        let retry_ms = spread.then(|| self.state.entropy().in_range(RETRY_MS.0, RETRY_MS.1));
        self.slot.put(self.writer.end(reason, self.tail.cursor(), retry_ms));
        self.slot.drained().await;
        self.counted.ends(reason);
        self.connection.finish(reason);
    }

    fn is_expired(&self) -> bool {
        self.expires.is_some_and(|at| Instant::now() >= at)
    }

    fn wake_at(&self, ping_at: Instant) -> Instant {
        self.expires.map_or(ping_at, |at| at.min(ping_at))
    }
}

/// Resolves when the gate wants the connection to end. Cancel-safe.
async fn ended(signal: &mut watch::Receiver<Option<EndReason>>) -> EndReason {
    match signal.wait_for(Option::is_some).await {
        Ok(reason) => reason.unwrap_or(EndReason::Drain),
        // The registry is gone, so this node is.
        Err(_) => EndReason::Drain,
    }
}
