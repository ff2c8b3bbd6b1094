//! Live streams that leave this server once the head of their answer is written.
//!
//! Owns: which answers may leave, and the moment when they do.
//! Must not: touch the answer's head, or look into the tail.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderMap, Method, Request, Response, Version};
use http_body::{Body as _, Frame};

use super::progress::{SocketProgress, TailMode};
use crate::tail::{Detachable, Tail};

/// Where the tail of a connection waits until its head is out. Without one nothing leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Departures(Arc<Mutex<Option<Departing>>>);

/// What leaves.
#[derive(Debug)]
pub(super) struct Departing {
    pub(super) tail: Box<Tail>,
    pub(super) keep_alive: bool,
}

/// What of a request decides whether its answer may leave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    may_leave: bool,
    keep_alive: bool,
}

impl Asked {
    pub(super) fn of(request: &Request<Body>) -> Self {
        // Nothing may be left to read of the request, and only HTTP/1.1 has chunks.
        let may_leave = request.version() == Version::HTTP_11
            && request.body().is_end_stream()
            && matches!(*request.method(), Method::GET | Method::POST);
        Self { may_leave, keep_alive: !says_close(request.headers()) }
    }
}

impl Departures {
    /// Takes the tail out of an answer that may leave, and leaves a body that ends nothing.
    pub(super) fn prepare(
        &self,
        asked: Asked,
        mut response: Response<Body>,
        progress: &SocketProgress,
    ) -> Response<Body> {
        let tail = if asked.may_leave { tail_of(&mut response) } else { None };
        let Some(tail) = tail else { return response };
        let (parts, _) = response.into_parts();
        let held = HeldBody {
            hello: Some(tail.hello.clone()),
            progress: progress.clone(),
            _mode: progress.tail_mode(),
        };
        let keep_alive = asked.keep_alive && !says_close(&parts.headers);
        self.put(Departing { tail, keep_alive });
        Response::from_parts(parts, Body::new(held))
    }

    pub(super) fn put(&self, departing: Departing) {
        *self.lock() = Some(departing);
    }

    pub(super) fn take(&self) -> Option<Departing> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Departing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the tail out of an answer that streams one.
pub(super) fn tail_of(response: &mut Response<Body>) -> Option<Box<Tail>> {
    response.extensions_mut().remove::<Detachable>()?.take()
}

pub(super) fn says_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("close"))
}

/// The hello, then silence.
struct HeldBody {
    hello: Option<Bytes>,
    progress: SocketProgress,
    _mode: TailMode,
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(hello) = self.hello.take() {
            return Poll::Ready(Some(Ok(Frame::data(hello))));
        }
        self.progress.head_made();
        Poll::Pending
    }
}
