//! A tail as the body of an answer, for connections that the HTTP server keeps: TLS and HTTP/2.
//!
//! Owns: the order of pump and reader: chunks first, then the pump runs until it has more.
//! Must not: start the pump before it is polled: until then the tail may still be taken out.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::opened::{Detachable, Tail, Waiting};
use super::pump::Pump;
use super::slot::Slot;
use crate::AppState;
use crate::server::{SocketProgress, TailMode};

/// The body of a streamed answer. Dropping it ends the connection.
pub(crate) struct TailBody {
    state: AppState,
    waiting: Waiting,
    socket: SocketProgress,
    _mode: TailMode,
    pulled: Option<Pulled>,
}

impl TailBody {
    pub(super) fn new(state: &AppState, tail: Tail, socket: &SocketProgress) -> Self {
        Self {
            state: state.clone(),
            waiting: Waiting::new(tail),
            socket: socket.clone(),
            _mode: socket.tail_mode(),
            pulled: None,
        }
    }

    pub(super) fn detachable(&self) -> Detachable {
        self.waiting.detachable()
    }

    fn pulled(&mut self) -> Option<&mut Pulled> {
        if self.pulled.is_none() {
            self.pulled = self.waiting.take().map(|tail| Pulled::start(&self.state, tail, &self.socket));
        }
        self.pulled.as_mut()
    }
}

impl Body for TailBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(pulled) = self.pulled() else { return Poll::Ready(None) };
        let chunk = ready!(pulled.poll_chunk(context));
        Poll::Ready(chunk.map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl fmt::Debug for TailBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailBody").field("pulled", &self.pulled.is_some()).finish_non_exhaustive()
    }
}

/// A tail whose chunks are pulled.
struct Pulled {
    pump: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    slot: Slot,
}

impl Pulled {
    fn start(state: &AppState, tail: Box<Tail>, socket: &SocketProgress) -> Self {
        let slot = Slot::default();
        slot.put([tail.hello.clone()]);
        let mut pump = Pump::new(state, tail, socket, &slot);
        // Captured by reference inside: a future that takes its arguments by value holds them twice.
        Self { pump: Some(Box::pin(async move { pump.run().await })), slot }
    }

    /// The next chunk; `None` once the tail has ended.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(chunk) = self.slot.take() {
                return Poll::Ready(Some(chunk));
            }
            let Some(pump) = self.pump.as_mut() else { return Poll::Ready(None) };
            match pump.as_mut().poll(context) {
                Poll::Ready(()) => self.pump = None,
                Poll::Pending if self.slot.is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}
