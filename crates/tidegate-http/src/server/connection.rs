//! One connection from its first byte to its last.
//!
//! Owns: the settings of HTTP/1.1 and HTTP/2, and how a connection ends.
//! Must not: outlive the cut of a drain.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use socket2::SockRef;
use tidegate_types::Limits;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::caps::Slot;
use super::date::DateHeader;
use super::depart::{Asked, Departing, Departures};
use super::direct::{Direct, Onward};
use super::io::{IoLimits, LimitedIo};
use super::progress::{ActiveRequest, SocketProgress};
use super::socket::Socket;
use super::spare::Spares;
use crate::edge::{Arrival, Entry, PeerAddress};
use crate::shards::{Guest, Homed, Shards};

/// What all connections share.
#[derive(Debug)]
pub(super) struct ConnectionSettings {
    pub(super) header_timeout: Duration,
    pub(super) shutdown: CancellationToken,
    pub(super) date: DateHeader,
    pub(super) spares: Spares,
    cut: CancellationToken,
    limits: IoLimits,
    http2_streams: u32,
}

/// One connection's client.
pub(super) struct Client {
    pub(super) peer: PeerAddress,
    pub(super) entry: Entry,
    pub(super) settings: Arc<ConnectionSettings>,
    /// Where live streams go that leave; none where they stay.
    pub(super) shards: Option<Shards>,
}

const HEAD_BYTES_MAX: usize = 16 * 1_024;
const HTTP2_PENDING_RESETS: usize = 20;
const HTTP2_LOCAL_RESETS: usize = 64;
const HTTP2_PING_EVERY: Duration = Duration::from_secs(20);
const HTTP2_LOOK_EVERY: Duration = Duration::from_secs(1);
const HTTP2_SEND_BYTES: usize = 64 * 1_024;
/// How long, and how much, is still read from a client whose request could not be parsed, so that
/// it sees the refusal and no reset.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 256 * 1_024;
/// How much later than this server the kernel gives a connection up.
#[cfg(target_os = "linux")]
const AFTER_A_STALL: Duration = Duration::from_secs(10);

impl ConnectionSettings {
    pub(super) fn of(limits: &Limits, shutdown: CancellationToken, cut: CancellationToken) -> Self {
        let millis = Duration::from_millis;
        Self {
            header_timeout: millis(limits.header_timeout_ms),
            shutdown,
            date: DateHeader::default(),
            spares: Spares::default(),
            cut,
            limits: IoLimits {
                head: millis(limits.header_timeout_ms),
                idle: millis(limits.idle_timeout_ms),
                write: millis(limits.write_timeout_ms),
                tail_stall: millis(limits.tail_stall_ms),
                multiplexed: false,
            },
            http2_streams: u32::try_from(limits.http2_streams).unwrap_or(u32::MAX),
        }
    }

    /// Small writes go out at once; a peer that vanished is noticed.
    pub(super) fn prepare(&self, socket: &SockRef<'_>) -> std::io::Result<()> {
        socket.set_tcp_nodelay(true)?;
        socket.set_keepalive(true)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(self.user_timeout()))?;
        Ok(())
    }

    /// Longer than a live stream may stall: who stalls is told apart from who left, which the kernel does not do.
    #[cfg(target_os = "linux")]
    fn user_timeout(&self) -> Duration {
        self.limits.tail_stall.saturating_add(AFTER_A_STALL)
    }

    /// Whether a socket has these options already.
    pub(super) fn is_prepared(&self, socket: &SockRef<'_>) -> std::io::Result<bool> {
        #[cfg(target_os = "linux")]
        let has_timeout = socket.tcp_user_timeout()? == Some(self.user_timeout());
        #[cfg(not(target_os = "linux"))]
        let has_timeout = true;
        Ok(has_timeout && socket.tcp_nodelay()? && socket.keepalive()?)
    }
}

/// Serves HTTP/1.1 on a socket that a live stream may take with it when it leaves.
pub(super) async fn http1_plain(socket: Socket, read: Option<Bytes>, client: Client, place: Slot) {
    let shards = client.shards.clone();
    let departures = shards.is_some().then(Departures::default);
    let left = http1(socket, read, client, departures.as_ref()).await;
    let Some((socket, read)) = left else { return };
    if let (Some(shards), Some(Departing { tail, keep_alive })) =
        (shards, departures.and_then(|departures| departures.take()))
    {
        // A socket that is lost on the way is one whose client is gone; so is its tail then.
        let Ok(socket) = socket.into_bare() else { return };
        let home = Homed { socket, read, slot: place };
        shards.take(Guest { tail, home, keep_alive });
    }
}

/// Serves HTTP/1.1 on a socket. Answers the socket, and what was read from it, when a live stream
/// is to take it.
pub(super) async fn http1<S>(
    socket: S,
    read: Option<Bytes>,
    client: Client,
    departures: Option<&Departures>,
) -> Option<(S, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let progress = SocketProgress::default();
    let io = LimitedIo::new(socket, progress.clone(), client.settings.limits);
    let io = match read {
        Some(read) => io.came_back(read),
        None => io,
    };
    match directly(io, &client, &progress, departures).await? {
        Onward::ToShard(io) => Some(io.into_parts()),
        // Boxed: most connections of live streams never come here.
        Onward::ToHyper(io) => Box::pin(by_hyper(io, client, progress, departures.cloned())).await,
    }
}

/// Serves HTTP/1.1 by hyper.
async fn by_hyper<S>(
    io: LimitedIo<S>,
    client: Client,
    progress: SocketProgress,
    departures: Option<Departures>,
) -> Option<(S, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (io, seen, settings) = (TokioIo::new(io), progress.clone(), Arc::clone(&client.settings));
    let service = service_fn(move |request| client.answer(request, &seen, departures.clone()));
    let mut builder = hyper::server::conn::http1::Builder::new();
    // The socket itself holds the limits; hyper's would count idle time as a head, and cost a timer
    // set anew for every request.
    builder.header_read_timeout(None);
    let mut connection = builder.max_buf_size(HEAD_BYTES_MAX).serve_connection(io, service);
    let ended = tokio::select! {
        ended = until_sent(&mut connection, &progress) => Some(ended),
        () = settings.shutdown.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                ended = until_sent(&mut connection, &progress) => ended,
                () = settings.cut.cancelled() => return None,
            }
        }
    };
    match ended {
        None => {
            let parts = connection.into_parts();
            return Some(parts.io.into_inner().returned(parts.read_buf).into_parts());
        }
        Some(Err(error)) if error.is_parse() => {
            linger(connection.into_parts().io.into_inner().into_inner()).await;
        }
        Some(Ok(()) | Err(_)) => {}
    }
    None
}

/// Runs a connection to its end; `None` once the head of a live stream that leaves is written.
async fn until_sent<C>(connection: &mut C, progress: &SocketProgress) -> Option<C::Output>
where
    C: Future + Unpin,
{
    poll_fn(|context| match Pin::new(&mut *connection).poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if progress.head_sent() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Answers plain requests as long as nothing else comes; then the socket is hyper's, or a shard's.
async fn directly<S>(
    io: LimitedIo<S>,
    client: &Client,
    progress: &SocketProgress,
    departures: Option<&Departures>,
) -> Option<Onward<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // Boxed, so that its memory is gone when hyper begins.
    let mut direct = Box::pin(Direct::new(io, client, progress, departures).serve());
    tokio::select! {
        biased;
        left = &mut direct => return left,
        () = client.settings.shutdown.cancelled() => {}
    }
    tokio::select! {
        left = direct => left,
        () = client.settings.cut.cancelled() => None,
    }
}

/// Serves HTTP/2 on a socket.
pub(super) async fn http2<S>(socket: S, client: Client)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let progress = SocketProgress::default();
    let settings = Arc::clone(&client.settings);
    let limits = IoLimits { multiplexed: true, ..settings.limits };
    let io = TokioIo::new(LimitedIo::new(socket, progress.clone(), limits));
    let seen = progress.clone();
    let service = service_fn(move |request| client.answer(request, &seen, None));
    let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.http2_streams)
        .max_pending_accept_reset_streams(HTTP2_PENDING_RESETS)
        .max_local_error_reset_streams(HTTP2_LOCAL_RESETS)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .max_send_buf_size(HTTP2_SEND_BYTES)
        .keep_alive_interval(HTTP2_PING_EVERY)
        .keep_alive_timeout(HTTP2_PING_EVERY);
    let mut connection = Box::pin(builder.serve_connection(io, service));
    tokio::select! {
        _ = &mut connection => return,
        () = reader_stalls(&progress, &limits) => return,
        () = settings.shutdown.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = &mut connection => {}
        () = settings.cut.cancelled() => {}
    }
}

/// Returns when an answer waited too long for its reader's window. The socket can't see that: it
/// goes on carrying pings, while a body that is not asked for more can't end itself.
async fn reader_stalls(progress: &SocketProgress, limits: &IoLimits) {
    loop {
        tokio::time::sleep(HTTP2_LOOK_EVERY).await;
        let limit = if progress.has_tails() { limits.tail_stall } else { limits.write };
        if progress.held_up_since().is_some_and(|since| since.elapsed() >= limit) {
            return;
        }
    }
}

impl Client {
    fn answer(
        &self,
        request: Request<Incoming>,
        progress: &SocketProgress,
        departures: Option<Departures>,
    ) -> impl Future<Output = Result<Response<CountedBody>, Infallible>> + Send + use<> {
        let active = progress.request();
        let is_http2 = request.version() >= Version::HTTP_2;
        let arrival = Arrival { peer: self.peer, socket: progress.clone() };
        let (entry, progress) = (self.entry.clone(), progress.clone());
        // Boxed: hyper moves the future about, and keeps room for it as long as the connection lives.
        let answered = Box::pin(async move {
            let request = request.map(Body::new);
            let asked = Asked::of(&request);
            let response = entry.answer(arrival, request).await;
            match departures {
                Some(departures) => departures.prepare(asked, response, &progress),
                None => response,
            }
        });
        async move { Ok(answered.await.map(|inner| CountedBody { inner, active, is_http2 })) }
    }
}

/// An answer's body; the request counts as active until it is dropped.
struct CountedBody {
    inner: Body,
    active: ActiveRequest,
    is_http2: bool,
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.is_http2 {
            return Pin::new(&mut self.inner).poll_frame(context);
        }
        self.active.piece_wanted();
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if matches!(polled, Poll::Ready(Some(Ok(_)))) {
            self.active.piece_taken();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

async fn linger<S: AsyncRead + Unpin>(socket: S) {
    let mut rest = socket.take(LINGER_BYTES);
    let mut nowhere = tokio::io::sink();
    let read = tokio::io::copy(&mut rest, &mut nowhere);
    // Whatever comes of it, the socket is closed next.
    let _ = tokio::time::timeout(LINGER, read).await;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_the_options_that_its_listener_had_when_it_came() {
        let settings =
            ConnectionSettings::of(&Limits::default(), CancellationToken::new(), CancellationToken::new());
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let come = |after: bool| {
            if after {
                settings.prepare(&SockRef::from(&listener)).unwrap();
            }
            let _theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (socket, _) = listener.accept().unwrap();
            settings.is_prepared(&SockRef::from(&socket)).unwrap()
        };
        assert_eq!((come(false), come(true)), (false, true));
    }
}
