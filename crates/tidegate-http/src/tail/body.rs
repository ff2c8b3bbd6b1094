//! A tail as something to pull chunks from.
//!
//! Owns: the order of pump and reader: chunks first, then the pump runs until it has more.
//! Must not: know hyper; the response body below is an adapter of three lines.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::slot::Slot;

/// An open tail. Dropping it ends the connection.
pub(crate) struct Tail {
    pump: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    slot: Slot,
}

impl Tail {
    pub(super) fn new(slot: Slot, pump: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { pump: Some(Box::pin(pump)), slot }
    }

    /// The next chunk; `None` once the tail has ended.
    pub(crate) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
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

impl Body for Tail {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = ready!(self.poll_chunk(context));
        Poll::Ready(chunk.map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("ended", &self.pump.is_none()).finish_non_exhaustive()
    }
}
