//! The life of one tail: wait for a record, a ping, an expiry or the end, and leave chunks.
//!
//! Owns: the order in which these count: the gate's word first, then time, then records.
//! Must not: buffer: it takes the next step only when the last one's chunks are gone.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tidegate_gate::EndReason;
use tidegate_log::{ReadError, TailStep};
use tokio::time::{Instant, Sleep, sleep_until};

use super::opened::Tail;
use super::slot::Slot;
use super::{READ_RETRIES, READ_RETRY_AFTER, retry_ms};
use crate::AppState;
use crate::server::SocketProgress;

/// All that one pulled tail holds.
pub(super) struct Pump {
    state: AppState,
    tail: Box<Tail>,
    socket: SocketProgress,
    slot: Slot,
    ping: Duration,
}

enum Event {
    Ended(EndReason),
    Due,
    Step(Result<TailStep, ReadError>),
}

impl Pump {
    pub(super) fn new(state: &AppState, tail: Box<Tail>, socket: &SocketProgress, slot: &Slot) -> Self {
        let ping = Duration::from_secs(state.config().ping_seconds);
        Self { state: state.clone(), tail, socket: socket.clone(), slot: slot.clone(), ping }
    }

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
                    self.slot.put([self.tail.writer.ping(self.state.clock().now())]);
                    ping_at = Instant::now() + self.ping;
                    None
                }
                Event::Step(Ok(step)) => {
                    failures = 0;
                    if !self.tail.writer.pings_always() {
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
        let Tail { log, held, .. } = &mut *self.tail;
        let (held, socket) = (&*held, &self.socket);
        // Each wake of the socket's task comes by here, so the gate learns when a stall is over.
        let watch_socket = poll_fn(|_| {
            held.progressed(socket.is_write_blocked());
            Poll::<()>::Pending
        });
        tokio::select! {
            biased;
            () = watch_socket => Event::Due,
            reason = held.ended() => Event::Ended(reason),
            () = timer => Event::Due,
            step = log.next(max_bytes) => Event::Step(step),
        }
    }

    /// Leaves a step's chunks; a reason if the step is the last.
    fn take(&mut self, step: TailStep) -> Option<EndReason> {
        let now = self.state.clock().now();
        match step {
            TailStep::Gap(gap) => self.slot.put(self.tail.writer.gap(&gap)),
            TailStep::Frames { frames, up_to_date } => {
                self.slot.put(self.tail.writer.frames(&frames, up_to_date, now));
                if let Some(last) = frames.last() {
                    self.tail.held.note_offsets(self.tail.first, last.offset);
                    self.state.metrics().events_delivered(frames.len() as u64);
                }
            }
            TailStep::UpToDate => self.slot.put(self.tail.writer.up_to_date(self.tail.log.cursor(), now)),
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
            reason = self.tail.held.ended() => Some(reason),
            () = tokio::time::sleep(READ_RETRY_AFTER) => None,
        }
    }

    async fn end(&mut self, reason: EndReason) {
        self.slot.put(self.tail.writer.end(reason, self.tail.log.cursor(), retry_ms(&self.state, reason)));
        self.slot.drained().await;
        self.tail.held.finish(reason);
    }

    fn is_expired(&self) -> bool {
        self.tail.expires.is_some_and(|at| Instant::now() >= at)
    }

    fn wake_at(&self, ping_at: Instant) -> Instant {
        self.tail.expires.map_or(ping_at, |at| at.min(ping_at))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        // A reader who took nothing for too long is cut by its socket, and no step of the pump sees it.
        if self.socket.is_write_blocked() {
            self.tail.held.finish(EndReason::Slow);
        }
    }
}
