//! Bodies of requests: how large, how slow, and what becomes of a refused one.
//!
//! Owns: the size bound, the pause bound, the least rate, and the draining that lets a client
//! read its refusal instead of meeting a reset.
//! Must not: buffer; a body is passed on frame by frame.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
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

/// The request's body within its bounds. The middleware owns it; a handler reads it through a
/// borrow, or through [`BoundBody::lend`] where it wants to own one.
pub(crate) struct BoundBody {
    inner: Option<Body>,
    bounds: BodyBounds,
    received: u64,
    /// When the first wait began; bytes that are there already are not timed.
    started: Option<Instant>,
    latest: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// On HTTP/2 a refusal resets the stream without harm.
    drainable: bool,
    /// A client that waits for `100 Continue` must not be invited to send what nobody wants.
    untouched: bool,
    yielded: bool,
}

/// A body in the hands of a handler; it goes back to its owner when the handler drops it.
struct Lent {
    body: Option<BoundBody>,
    slot: Slot,
}

type Slot = Arc<Mutex<Option<BoundBody>>>;

/// Where a lent body comes back to. Requests without a body have none.
pub(crate) struct Loan(Option<Slot>);

impl BoundBody {
    pub(super) fn new(body: Body, head: &Parts, bounds: BodyBounds) -> Self {
        Self {
            inner: (!body.is_end_stream()).then_some(body),
            bounds,
            received: 0,
            started: None,
            latest: None,
            timer: None,
            drainable: head.version < Version::HTTP_2,
            untouched: head.headers.contains_key(header::EXPECT),
            yielded: false,
        }
    }

    /// Reads all of it. A body that came in one piece is not copied.
    pub(crate) async fn whole(&mut self) -> Result<Bytes, BodyError> {
        let Some(first) = self.next_data().await? else { return Ok(Bytes::new()) };
        if self.is_end_stream() {
            return Ok(first);
        }
        let Some(second) = self.next_data().await? else { return Ok(first) };
        let mut whole = BytesMut::with_capacity((first.len() + second.len()).saturating_mul(2));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while !self.is_end_stream()
            && let Some(more) = self.next_data().await?
        {
            whole.extend_from_slice(&more);
        }
        Ok(whole.freeze())
    }

    async fn next_data(&mut self) -> Result<Option<Bytes>, BodyError> {
        while let Some(frame) = poll_fn(|context| Pin::new(&mut *self).poll_frame(context)).await {
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The body for a handler that owns its request, and where it is to be found afterwards.
    pub(crate) fn lend(&mut self) -> (Body, Loan) {
        let Some(inner) = self.inner.take() else { return (Body::empty(), Loan(None)) };
        let slot = Slot::default();
        let body = Self { inner: Some(inner), timer: None, ..*self };
        let lent = Lent { body: Some(body), slot: Arc::clone(&slot) };
        (Body::new(lent), Loan(Some(slot)))
    }

    /// Takes back what a handler left of a lent body.
    pub(crate) fn take_back(&mut self, loan: Loan) {
        let left = loan.0.and_then(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(left) = left {
            *self = left;
        }
    }

    /// Reads what the handler left, to a bound, so that the client gets to see the answer.
    pub(super) async fn drain(self) {
        let wanted = self.drainable && !self.untouched;
        if let Some(body) = self.inner.filter(|_| wanted) {
            discard(body, self.bounds).await;
        }
    }

    pub(super) const fn may_be_left(&self) -> bool {
        self.inner.is_some()
    }

    fn deadline(&mut self) -> Instant {
        let now = Instant::now;
        let started = *self.started.get_or_insert_with(now);
        let latest = *self.latest.get_or_insert(started);
        let earned = Duration::from_millis(self.received.saturating_mul(1_000) / LEAST_BYTES_PER_SECOND);
        (latest + self.bounds.pause).min(started + self.bounds.pause + earned)
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        if !std::mem::replace(&mut self.yielded, true) {
            // The connection hands over what it has read only after it was asked: most bodies are
            // there at the second look, and a timer would cost more than that look.
            context.waker().wake_by_ref();
            return false;
        }
        let deadline = self.deadline();
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context).is_ready()
    }

    fn take_frame(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        if self.started.is_some() {
            self.latest = Some(Instant::now());
        }
        self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
        if self.received > self.bounds.bytes { Err(BodyError::TooLarge) } else { Ok(frame) }
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

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.body.as_mut() {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(BoundBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), BoundBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::convert::Infallible;

    const BOUNDS: BodyBounds =
        BodyBounds { bytes: 4_000, refused_bytes: 10_000, pause: Duration::from_secs(10) };

    fn bound(body: Body) -> BoundBody {
        BoundBody::new(body, &Request::new(()).into_parts().0, BOUNDS)
    }

    /// Chunks of so many bytes, each after so many seconds.
    fn dribble(chunks: Vec<(u64, usize)>) -> Body {
        Body::from_stream(stream::unfold(chunks.into_iter(), |mut chunks| async move {
            let (seconds, bytes) = chunks.next()?;
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Some((Ok::<_, Infallible>(Bytes::from(vec![b'x'; bytes])), chunks))
        }))
    }

    /// What a handler that borrows the body reads of it; one that owns it must read the same.
    async fn read(body: impl Fn() -> Body) -> (Result<usize, BodyError>, BoundBody) {
        let mut lender = bound(body());
        let (lent, loan) = lender.lend();
        let read = axum::body::to_bytes(lent, usize::MAX).await;
        let owned = read.map(|bytes| bytes.len()).map_err(|error| BodyError::of(&error));
        lender.take_back(loan);
        let mut borrowed = bound(body());
        assert_eq!(borrowed.whole().await.map(|bytes| bytes.len()), owned);
        assert_eq!(borrowed.may_be_left(), lender.may_be_left());
        (owned, lender)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_within_its_bounds_arrives_whole() {
        let (read, left) = read(|| dribble(vec![(1, 2_000), (9, 1_000), (1, 1_000)])).await;
        assert_eq!(read, Ok(4_000));
        left.drain().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_a_body() {
        assert_eq!(read(|| dribble(vec![(1, 3_000), (11, 1)])).await.0, Err(BodyError::TooSlow));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_without_pauses_ends_too() {
        let started = Instant::now();
        assert_eq!(read(|| dribble(vec![(5, 10); 100])).await.0, Err(BodyError::TooSlow));
        assert_eq!(started.elapsed().as_secs(), 20, "ten for each of the two readers");
    }

    #[tokio::test]
    async fn a_body_that_grows_past_its_bound_is_refused_and_the_rest_is_read() {
        let (read, left) = read(|| dribble(vec![(0, 3_000), (0, 3_000), (0, 3_000)])).await;
        assert_eq!(read, Err(BodyError::TooLarge));
        assert!(left.may_be_left());
        left.drain().await;
    }

    #[tokio::test(start_paused = true)]
    async fn draining_has_an_end() {
        let endless =
            Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 1_000]))));
        bound(endless).drain().await;
        bound(Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())).drain().await;
    }

    #[tokio::test]
    async fn a_body_in_one_piece_is_not_copied() {
        let sent = Bytes::from(vec![b'x'; 100]);
        let read = bound(Body::from(sent.clone())).whole().await.unwrap();
        assert_eq!(read.as_ptr(), sent.as_ptr());
    }
}
