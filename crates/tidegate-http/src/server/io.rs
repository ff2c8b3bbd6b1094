//! A socket that does not wait for ever.
//!
//! Owns: the time limits of a request's head, of idle keep-alive and of writing. hyper has no
//! write limit, and its own head limit also counts idle time.
//! Must not: look at the bytes. Slow bodies of requests are the middleware's matter.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::progress::SocketProgress;

/// The limits of one socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct IoLimits {
    pub(super) head: Duration,
    pub(super) idle: Duration,
    pub(super) write: Duration,
    pub(super) tail_stall: Duration,
    /// On HTTP/2 bytes may be anything, so none of them begins a head.
    pub(super) multiplexed: bool,
}

/// What the reading side waits for while no request is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// The first byte after the accept: as urgent as a head.
    FirstByte,
    /// The rest of a head whose first byte came.
    Head,
    /// The next request.
    NextRequest,
}

/// A socket with limits around it.
pub(super) struct LimitedIo<S> {
    inner: S,
    progress: SocketProgress,
    limits: IoLimits,
    awaits: Awaits,
    /// `None`: of a head that began a moment ago. Most are whole then, and nobody asks.
    read_deadline: Option<Instant>,
    served: u64,
    read_timer: Option<Pin<Box<Sleep>>>,
    write_timer: Option<Pin<Box<Sleep>>>,
    /// What was read from the socket before, by a reader who did not want it.
    read: Bytes,
}

impl<S> LimitedIo<S> {
    pub(super) fn new(inner: S, progress: SocketProgress, limits: IoLimits) -> Self {
        Self {
            inner,
            progress,
            limits,
            awaits: Awaits::FirstByte,
            read_deadline: Some(Instant::now() + limits.head),
            served: 0,
            read_timer: None,
            write_timer: None,
            read: Bytes::new(),
        }
    }

    /// Puts bytes back that were read already.
    pub(super) fn returned(self, read: Bytes) -> Self {
        // What came back earlier lies behind what was read of it since.
        let read = if self.read.is_empty() { read } else { [&read[..], &self.read[..]].concat().into() };
        Self { read, ..self }
    }

    /// A socket that served a request before, of which these bytes were read already.
    pub(super) fn came_back(self, read: Bytes) -> Self {
        let read_deadline = Some(Instant::now() + self.limits.idle);
        Self { awaits: Awaits::NextRequest, read_deadline, read, ..self }
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// The socket, and what was read from it that nobody took.
    pub(super) fn into_parts(self) -> (S, Bytes) {
        (self.inner, self.read)
    }

    fn await_now(&mut self, awaits: Awaits, limit: Duration) {
        self.awaits = awaits;
        self.read_deadline = Some(Instant::now() + limit);
    }

    /// Notices that an answer was finished since the last look.
    fn note_served(&mut self) {
        let served = self.progress.served();
        if served != self.served {
            self.served = served;
            self.await_now(Awaits::NextRequest, self.limits.idle);
        }
    }

    fn bytes_came(&mut self) {
        if self.progress.is_active() {
            return;
        }
        self.note_served();
        match (self.awaits, self.limits.multiplexed) {
            (Awaits::FirstByte, true) => self.await_now(Awaits::NextRequest, self.limits.idle),
            // The first byte's limit goes on: head and first byte together have one.
            (Awaits::FirstByte, false) => self.awaits = Awaits::Head,
            (Awaits::NextRequest, false) => (self.awaits, self.read_deadline) = (Awaits::Head, None),
            (Awaits::Head, _) | (Awaits::NextRequest, true) => {}
        }
    }

    fn is_reading_late(&mut self, context: &mut Context<'_>) -> bool {
        if self.progress.is_active() {
            return false;
        }
        self.note_served();
        let due = *self.read_deadline.get_or_insert_with(|| Instant::now() + self.limits.head);
        // A timer that was set for an earlier request goes off too soon, and is set anew only then:
        // setting it for each would cost every request what few idle connections need.
        if let Some(timer) = self.read_timer.as_mut().filter(|timer| timer.deadline() < due)
            && timer.as_mut().poll(context).is_pending()
        {
            return false;
        }
        is_past(&mut self.read_timer, due, context)
    }

    fn is_writing_late(&mut self, context: &mut Context<'_>) -> bool {
        self.progress.set_write_blocked(true);
        let limit = if self.progress.has_tails() { self.limits.tail_stall } else { self.limits.write };
        let deadline =
            self.write_timer.as_ref().map_or_else(|| Instant::now() + limit, |timer| timer.deadline());
        is_past(&mut self.write_timer, deadline, context)
    }

    fn wrote<T>(&mut self, polled: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if self.write_timer.take().is_some() {
                self.progress.set_write_blocked(false);
            }
            return polled;
        }
        if self.is_writing_late(context) {
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        } else {
            Poll::Pending
        }
    }
}

fn is_past(timer: &mut Option<Pin<Box<Sleep>>>, deadline: Instant, context: &mut Context<'_>) -> bool {
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
    if timer.deadline() != deadline {
        timer.as_mut().reset(deadline);
    }
    timer.as_mut().poll(context).is_ready()
}

impl<S: AsyncRead + Unpin> AsyncRead for LimitedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.read.is_empty() {
            let fitting = self.read.len().min(buffer.remaining());
            buffer.put_slice(&self.read.split_to(fitting));
            if self.read.is_empty() {
                // The last piece would hold on to the memory of all.
                self.read = Bytes::new();
            }
            self.bytes_came();
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        if polled.is_pending() {
            if self.is_reading_late(context) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            return Poll::Pending;
        }
        ready!(polled)?;
        self.bytes_came();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LimitedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wrote(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.wrote(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        // hyper flushes only when its own buffer is empty.
        if polled.is_ready() {
            self.progress.flushed();
        }
        if polled.is_ready() && self.write_timer.is_none() {
            return polled;
        }
        self.wrote(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(context);
        self.wrote(polled, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    const LIMITS: IoLimits = IoLimits {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        write: Duration::from_secs(10),
        tail_stall: Duration::from_secs(60),
        multiplexed: false,
    };

    fn limited() -> (LimitedIo<DuplexStream>, DuplexStream, SocketProgress) {
        let (ours, theirs) = tokio::io::duplex(64);
        let progress = SocketProgress::default();
        (LimitedIo::new(ours, progress.clone(), LIMITS), theirs, progress)
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_dribbles_ends_after_its_limit_whatever_comes() {
        let (mut io, mut theirs, _) = limited();
        let started = Instant::now();
        let dribble = tokio::spawn(async move {
            while theirs.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let mut byte = [0];
        let error = loop {
            if let Err(error) = io.read_exact(&mut byte).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 10);
        drop(io);
        dribble.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_lives_longer_than_a_head() {
        let (mut io, _theirs, progress) = limited();
        drop(progress.request());
        let started = Instant::now();
        assert_eq!(io.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_ends_the_reading_side_while_a_request_is_answered() {
        let (mut io, _theirs, progress) = limited();
        let _request = progress.request();
        let waited = tokio::time::timeout(Duration::from_secs(3_600), io.read_u8()).await;
        assert!(waited.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_cut_later_when_it_is_a_live_stream() {
        for (is_tail, seconds) in [(false, 10), (true, 60)] {
            let (mut io, _theirs, progress) = limited();
            let _mode = is_tail.then(|| progress.tail_mode());
            let started = Instant::now();
            assert_eq!(io.write_all(&[0; 1_000]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(started.elapsed().as_secs(), seconds);
            assert!(progress.is_write_blocked());
        }
    }
}
