//! Bodies of requests: how large, how slow, and what becomes of a refused one.
//!
//! Owns: the size bound, the pause bound, the least rate, and the draining that lets a client
//! read its refusal instead of meeting a reset.
//! Must not: buffer; a body is passed on frame by frame.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::{Version, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tidegate_types::{ErrorCode, Limits};
use tokio::time::{Instant, Sleep};

use crate::problem::Problem;

/// Why a body could not be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// More bytes than the route takes.
    #[error("the body is larger than the limit")]
    TooLarge,
    /// It paused too long, or came too slowly.
    #[error("the body came too slowly")]
    TooSlow,
    /// The client broke it off, or its framing is wrong.
    #[error("the body ended early")]
    Broken,
}

impl BodyError {
    /// The cause of a failed read, however often it was wrapped.
    pub(crate) fn of(error: &axum::Error) -> Self {
        Self::find(error).unwrap_or(Self::Broken)
    }

    /// The cause of a failure, if it is a failed read.
    pub(crate) fn find(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(own) = error.downcast_ref::<Self>() {
                return Some(*own);
            }
            cause = error.source();
        }
        None
    }

    pub(crate) const fn code(self) -> ErrorCode {
        match self {
            Self::TooLarge => ErrorCode::BodyTooLarge,
            Self::TooSlow => ErrorCode::RequestTimeout,
            Self::Broken => ErrorCode::InvalidRequest,
        }
    }
}

/// The least rate after the first pause: a body may not trickle for hours.
const LEAST_BYTES_PER_SECOND: u64 = 1_024;

/// Paths that take files, under which nothing else takes a body.
const UPLOADS: [&str; 4] = ["/api/v1/documents/upload", "/documents", "/documents/", "/documents/upload"];
const FORM_BYTES: u64 = 131_072;

/// What the bounds of one body are.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyBounds {
    bytes: u64,
    refused_bytes: u64,
    pause: Duration,
}

impl BodyBounds {
    pub(super) fn of(limits: &Limits, path: &str) -> Self {
        let is_auth = path.starts_with("/api/v1/auth/") || path.starts_with("/auth/");
        let bytes = match path {
            _ if is_auth => limits.auth_body_bytes,
            // What a form puts around the file.
            _ if UPLOADS.contains(&path) => limits.upload_bytes.saturating_add(FORM_BYTES),
            _ => limits.body_bytes,
        };
        Self {
            bytes,
            refused_bytes: limits.refused_body_bytes,
            pause: Duration::from_millis(limits.body_pause_ms),
        }
    }

    /// Refuses by the head alone what can't be taken.
    pub(super) fn check(&self, request: &Request) -> Result<(), Problem> {
        let encoded = request.headers().get_all(header::CONTENT_ENCODING).iter();
        if encoded.into_iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(ErrorCode::EncodingNotAccepted.into());
        }
        if request.body().size_hint().exact().is_some_and(|bytes| bytes > self.bytes) {
            return Err(ErrorCode::BodyTooLarge.into());
        }
        Ok(())
    }
}

/// What is left of a body after its handler; see [`Leftover::drain`].
#[derive(Debug)]
pub(super) struct Leftover {
    slot: Arc<Mutex<Option<Body>>>,
    bounds: BodyBounds,
}

/// Puts the bounds around the request's body. Requests without a body pay nothing.
pub(super) fn bind(request: &mut Request, bounds: BodyBounds) -> Option<Leftover> {
    if request.body().is_end_stream() {
        return None;
    }
    let inner = std::mem::take(request.body_mut());
    let awaits_go_ahead = request.headers().contains_key(header::EXPECT);
    let slot = Arc::new(Mutex::new(None));
    let started = Instant::now();
    *request.body_mut() = Body::new(BoundBody {
        inner: Some(inner),
        slot: Arc::clone(&slot),
        bounds,
        started,
        latest: started,
        received: 0,
        timer: None,
        // On HTTP/2 a refusal resets the stream without harm, and a client that waits for
        // `100 Continue` must not be invited to send what nobody wants.
        drainable: request.version() < Version::HTTP_2,
        untouched: awaits_go_ahead,
    });
    Some(Leftover { slot, bounds })
}

impl Leftover {
    /// Reads what the handler left, to a bound, so that the client gets to see the answer.
    pub(super) async fn drain(self) {
        let left = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(body) = left {
            discard(body, self.bounds).await;
        }
    }
}

async fn discard(mut body: Body, bounds: BodyBounds) {
    let deadline = Instant::now() + bounds.pause * 2;
    let mut bytes: u64 = 0;
    while bytes <= bounds.refused_bytes {
        match tokio::time::timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Ok(Some(Err(_)) | None) | Err(_) => return,
        }
    }
}

struct BoundBody {
    inner: Option<Body>,
    slot: Arc<Mutex<Option<Body>>>,
    bounds: BodyBounds,
    started: Instant,
    latest: Instant,
    received: u64,
    timer: Option<Pin<Box<Sleep>>>,
    drainable: bool,
    untouched: bool,
}

impl BoundBody {
    fn deadline(&self) -> Instant {
        let earned = Duration::from_millis(self.received.saturating_mul(1_000) / LEAST_BYTES_PER_SECOND);
        (self.latest + self.bounds.pause).min(self.started + self.bounds.pause + earned)
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let deadline = self.deadline();
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context).is_ready()
    }

    fn take_frame(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        self.latest = Instant::now();
        self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
        if self.received > self.bounds.bytes { Err(BodyError::TooLarge) } else { Ok(frame) }
    }
}

impl http_body::Body for BoundBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        this.untouched = false;
        let Some(inner) = this.inner.as_mut() else { return Poll::Ready(None) };
        let polled = Pin::new(inner).poll_frame(context);
        if polled.is_pending() {
            if !this.is_late(context) {
                return Poll::Pending;
            }
            this.inner = None;
            return Poll::Ready(Some(Err(BodyError::TooSlow)));
        }
        match ready!(polled) {
            Some(Ok(frame)) => Poll::Ready(Some(this.take_frame(frame))),
            Some(Err(_)) => {
                this.inner = None;
                Poll::Ready(Some(Err(BodyError::Broken)))
            }
            None => {
                this.inner = None;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for BoundBody {
    fn drop(&mut self) {
        if self.drainable && !self.untouched {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = self.inner.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::convert::Infallible;

    const BOUNDS: BodyBounds =
        BodyBounds { bytes: 4_000, refused_bytes: 10_000, pause: Duration::from_secs(10) };

    fn bound(body: Body) -> (Body, Leftover) {
        let mut request = Request::new(body);
        let leftover = bind(&mut request, BOUNDS).unwrap();
        (request.into_body(), leftover)
    }

    /// Chunks of so many bytes, each after so many seconds.
    fn dribble(chunks: Vec<(u64, usize)>) -> Body {
        Body::from_stream(stream::unfold(chunks.into_iter(), |mut chunks| async move {
            let (seconds, bytes) = chunks.next()?;
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Some((Ok::<_, Infallible>(Bytes::from(vec![b'x'; bytes])), chunks))
        }))
    }

    async fn read(body: Body) -> Result<usize, BodyError> {
        let read = axum::body::to_bytes(body, usize::MAX).await;
        read.map(|bytes| bytes.len()).map_err(|error| BodyError::of(&error))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_within_its_bounds_arrives_whole() {
        let (body, leftover) = bound(dribble(vec![(1, 2_000), (9, 1_000), (1, 1_000)]));
        assert_eq!(read(body).await, Ok(4_000));
        leftover.drain().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_a_body() {
        let (body, _) = bound(dribble(vec![(1, 3_000), (11, 1)]));
        assert_eq!(read(body).await, Err(BodyError::TooSlow));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_without_pauses_ends_too() {
        let started = Instant::now();
        let (body, _) = bound(dribble(vec![(5, 10); 100]));
        assert_eq!(read(body).await, Err(BodyError::TooSlow));
        assert_eq!(started.elapsed().as_secs(), 10);
    }

    #[tokio::test]
    async fn a_body_that_grows_past_its_bound_is_refused_and_the_rest_is_read() {
        let (body, leftover) = bound(dribble(vec![(0, 3_000), (0, 3_000), (0, 3_000)]));
        assert_eq!(read(body).await, Err(BodyError::TooLarge));
        assert!(leftover.slot.lock().unwrap().is_some());
        leftover.drain().await;
    }

    #[tokio::test(start_paused = true)]
    async fn draining_has_an_end() {
        let endless =
            Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 1_000]))));
        let (body, leftover) = bound(endless);
        drop(body);
        leftover.drain().await;
        let silent = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let (body, leftover) = bound(silent);
        drop(body);
        leftover.drain().await;
    }
}
