//! Appends, and the opening of live streams, over HTTP/1.1 without hyper, whose state machine is a
//! good part of what they cost.
//!
//! Owns: which requests are plain enough to be read here (whole in what was read, one length or no
//! body, nothing to agree on), and the writing of their answers.
//! Must not: refuse a request. What is not plain goes to hyper as it came, with its connection, so
//! that everything odd has one reader.

mod open;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::connection::Client;
use super::depart::{Departing, Departures, tail_of};
use super::io::LimitedIo;
use super::progress::SocketProgress;
use super::spare::Lent;
use crate::edge::{Arrival, is_append, is_opening};

/// Bytes read at once.
pub(super) const READ_BYTES: usize = 8 * 1_024;
const HEADERS_MAX: usize = 32;
/// The answer is made in the memory of the request's headers, so there is room for its own.
const ANSWER_HEADERS: usize = 10;

/// One connection as long as nothing but plain requests of these kinds come.
pub(super) struct Direct<'c, S> {
    io: LimitedIo<S>,
    client: &'c Client,
    progress: &'c SocketProgress,
    /// Where live streams wait that leave; without it none is opened here.
    departures: Option<&'c Departures>,
    /// What was read and not parsed yet.
    read: Bytes,
    date: Option<(i64, HeaderValue)>,
    /// Last: nothing of it may be in use when it is given back.
    spare: Lent<'c>,
}

impl<'c, S: AsyncRead + AsyncWrite + Unpin> Direct<'c, S> {
    pub(super) fn new(
        io: LimitedIo<S>,
        client: &'c Client,
        progress: &'c SocketProgress,
        departures: Option<&'c Departures>,
    ) -> Self {
        let spare = client.settings.spares.lend();
        Self { io, client, progress, departures, read: Bytes::new(), date: None, spare }
    }

    /// Answers plain requests. Gives the socket on when anything else comes or when it belongs to a
    /// live stream, and nothing when the connection has ended.
    pub(super) async fn serve(mut self) -> Option<Onward<S>> {
        loop {
            if self.read.is_empty() {
                self.fill().await?;
            }
            let Some(request) = parse(&mut self.read, &mut self.spare.headers, self.departures.is_some())
            else {
                return Some(Onward::ToHyper(self.io.returned(self.read)));
            };
            let _active = self.progress.request();
            let arrival = Arrival { peer: self.client.peer, socket: self.progress.clone() };
            let mut response = self.client.entry.answer(arrival, request).await;
            match tail_of(&mut response).zip(self.departures) {
                Some((tail, departures)) => return self.depart(response, tail, departures).await,
                None => self.write(response).await?,
            }
        }
    }

    /// Waits for bytes; `None` at the connection's end, or when the server stops.
    async fn fill(&mut self) -> Option<()> {
        let shutdown = &self.client.settings.shutdown;
        // Takes back the memory of the requests before, which are gone by now.
        self.read = Bytes::new();
        self.spare.buffer.reserve(READ_BYTES);
        let mut reading = pin!(self.io.read_buf(&mut self.spare.buffer));
        let read = poll_fn(|context| match reading.as_mut().poll(context) {
            Poll::Pending if shutdown.is_cancelled() => Poll::Ready(Ok(0)),
            polled => polled,
        });
        read.await.ok().filter(|bytes| *bytes > 0)?;
        self.read = self.spare.buffer.split().freeze();
        Some(())
    }

    /// Writes an answer; `None` when it was the connection's last.
    async fn write(&mut self, response: Response<Body>) -> Option<()> {
        let (head, body) = response.into_parts();
        let closes = self.client.settings.shutdown.is_cancelled() || head.headers.contains_key(CONNECTION);
        let body = if body.is_end_stream() { Bytes::new() } else { body.collect().await.ok()?.to_bytes() };
        let date = self.date();
        let out = &mut self.spare.written;
        out.clear();
        put_head(out, head.status, &head.headers);
        put(out, DATE.as_str(), date.as_bytes());
        if head.status != StatusCode::NO_CONTENT && !head.headers.contains_key(CONTENT_LENGTH) {
            put(out, CONTENT_LENGTH.as_str(), HeaderValue::from(body.len()).as_bytes());
        }
        if closes && !head.headers.contains_key(CONNECTION) {
            put(out, CONNECTION.as_str(), b"close");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&body);
        self.spare.headers = head.headers;
        self.io.write_all(&self.spare.written).await.ok()?;
        if closes {
            // Whether the other end still hears it changes nothing.
            let _ = self.io.shutdown().await;
        }
        (!closes).then_some(())
    }

    /// The date as a header.
    fn date(&mut self) -> HeaderValue {
        let now = self.client.entry.now();
        let second = now.as_secs();
        match &self.date {
            Some((of, date)) if *of == second => date.clone(),
            _ => {
                let date = self.client.settings.date.at(now);
                self.date = Some((second, date.clone()));
                date
            }
        }
    }
}

/// Where a socket goes from here.
pub(super) enum Onward<S> {
    /// Something came that hyper reads.
    ToHyper(LimitedIo<S>),
    /// A live stream was opened; its head is written, its tail stands among the departures.
    ToShard(LimitedIo<S>),
}

/// Takes a plain append from the front of what was read, or with `opens` a plain `GET` of a live
/// stream; leaves everything else untouched. `spare`: memory for the request's headers.
fn parse(read: &mut Bytes, spare: &mut HeaderMap, opens: bool) -> Option<Request<Body>> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut fields);
    let Ok(Status::Complete(head_bytes)) = parsed.parse(read) else { return None };
    let (method, target) = (parsed.method?, parsed.path?);
    let appends = method == "POST" && is_append(target);
    if parsed.version != Some(1) || !(appends || opens && method == "GET" && is_opening(target)) {
        return None;
    }
    let mut request = Request::new(());
    *request.method_mut() = if appends { Method::POST } else { Method::GET };
    *request.uri_mut() = Uri::from_maybe_shared(read.slice_ref(target.as_bytes())).ok()?;
    *request.headers_mut() = std::mem::take(spare);
    let headers = request.headers_mut();
    headers.clear();
    headers.reserve(ANSWER_HEADERS.max(parsed.headers.len()));
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(read.slice_ref(field.value)).ok()?);
    }
    let body_bytes = if appends { body_bytes(headers)? } else { no_body(headers)? };
    let end = head_bytes.checked_add(body_bytes)?;
    let body = (end <= read.len()).then(|| read.slice(head_bytes..end))?;
    read.advance(end);
    Some(request.map(|()| Body::from(body)))
}

/// The length of a body that is there as it is; `None` where anything has to be agreed on first.
fn body_bytes(headers: &HeaderMap) -> Option<usize> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let (first, second) = (lengths.next()?.as_bytes(), lengths.next());
    let is_one = second.is_none() && first.iter().all(u8::is_ascii_digit);
    let settled = is_one && is_settled(headers);
    settled.then_some(first).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
}

/// The length of a body that is not there; `None` as above.
fn no_body(headers: &HeaderMap) -> Option<usize> {
    (is_settled(headers) && !headers.contains_key(CONTENT_LENGTH)).then_some(0)
}

/// Whether nothing has to be agreed on before the request is answered.
fn is_settled(headers: &HeaderMap) -> bool {
    let agreed = [TRANSFER_ENCODING, EXPECT, UPGRADE].iter().all(|name| !headers.contains_key(name));
    let mut connection = headers.get_all(CONNECTION).iter();
    agreed && connection.all(|value| value.as_bytes().eq_ignore_ascii_case(b"keep-alive"))
}

fn put_head(out: &mut Vec<u8>, status: StatusCode, headers: &HeaderMap) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in headers {
        put(out, name.as_str(), value.as_bytes());
    }
}

fn put(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HEAD: &str = "POST /v1/stream/a HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n";

    fn taken(text: &str) -> (Option<Request<Body>>, Bytes) {
        let mut read = Bytes::copy_from_slice(text.as_bytes());
        (parse(&mut read, &mut HeaderMap::new(), false), read)
    }

    #[tokio::test]
    async fn a_plain_append_is_taken_and_what_follows_stays() {
        let (request, rest) = taken(&format!("{HEAD}Content-Length: 3\r\nX-A: 1\r\nX-a: 2\r\n\r\nabcPOST"));
        let request = request.unwrap();
        assert_eq!((request.uri().path(), rest.as_ref()), ("/v1/stream/a", &b"POST"[..]));
        assert_eq!(request.headers().get_all("x-a").iter().count(), 2);
        assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "abc");
    }

    #[rstest]
    #[case("content-length: 3\r\n\r\nab")] // the rest is still to come
    #[case("content-length: 3\r\n")]
    #[case("\r\nabc")] // no length
    #[case("content-length: +3\r\n\r\nabc")]
    #[case("content-length: 3 3\r\n\r\nabc")]
    #[case("content-length: 3, 3\r\n\r\nabc")]
    #[case("content-length: \r\n\r\nabc")]
    #[case("content-length: 99999999999999999999\r\n\r\nabc")]
    #[case("content-length: 18446744073709551615\r\n\r\nabc")]
    #[case("content-length: 3\r\ncontent-length: 3\r\n\r\nabc")]
    #[case("content-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc")]
    #[case("content-length: 3\r\nexpect: 100-continue\r\n\r\nabc")]
    #[case("content-length: 3\r\nconnection: close\r\n\r\nabc")]
    #[case("content-length: 3\r\nconnection: keep-alive, upgrade\r\n\r\nabc")]
    #[case("content-length: 3\r\nupgrade: h2c\r\n\r\nabc")]
    #[case("content-length: 3\r\n bad: fold\r\n\r\nabc")]
    #[case("content-length : 3\r\n\r\nabc")]
    fn whatever_has_to_be_agreed_on_or_waited_for_is_left_as_it_came(#[case] rest: &str) {
        let text = format!("{HEAD}{rest}");
        let (request, left) = taken(&text);
        assert!(request.is_none(), "{text}");
        assert_eq!(left, text);
    }

    #[rstest]
    #[case("GET /v1/stream/a HTTP/1.1")]
    #[case("post /v1/stream/a HTTP/1.1")]
    #[case("POST /v1/stream/a HTTP/1.0")]
    #[case("POST /v1/stream/a?ticket HTTP/1.1")]
    #[case("POST /v1/stream/__ds/x HTTP/1.1")]
    #[case("POST /v1/stream/ HTTP/1.1")]
    #[case("POST http://x/v1/stream/a HTTP/1.1")]
    #[case("POST /api/v1/events HTTP/1.1")]
    fn only_appends_are_taken(#[case] line: &str) {
        assert!(taken(&format!("{line}\r\nhost: x\r\ncontent-length: 1\r\n\r\na")).0.is_none());
    }

    #[rstest]
    #[case("GET /v1/stream/a?live=sse&offset=-1", "", true)]
    #[case("GET /v1/stream/a?offset=-1&live=events", "connection: Keep-Alive\r\n", true)]
    #[case("GET /v1/stream/a?ticket=tgt_1", "last-event-id: 0000000000000001\r\n", true)]
    #[case("GET /api/v1/generations/g/stream", "", true)]
    #[case("GET /v1/stream/a", "", false)] // reading what is there is hyper's
    #[case("GET /v1/stream/a?live=long-poll", "", false)]
    #[case("GET /v1/stream/__ds/x?live=sse", "", false)]
    #[case("HEAD /v1/stream/a?live=sse", "", false)]
    #[case("POST /v1/stream/a?live=sse", "", false)]
    #[case("GET /v1/stream/a?live=sse", "connection: close\r\n", false)]
    #[case("GET /v1/stream/a?live=sse", "content-length: 0\r\n", false)]
    #[case("GET /v1/stream/a?live=sse", "transfer-encoding: chunked\r\n", false)]
    #[case("GET /v1/stream/a?live=sse", "expect: 100-continue\r\n", false)]
    fn a_live_stream_is_opened_here_where_it_may_leave(
        #[case] line: &str,
        #[case] rest: &str,
        #[case] is_taken: bool,
    ) {
        let text = format!("{line} HTTP/1.1\r\nhost: x\r\n{rest}\r\nnext");
        for opens in [true, false] {
            let mut read = Bytes::copy_from_slice(text.as_bytes());
            let request = parse(&mut read, &mut HeaderMap::new(), opens);
            assert_eq!(request.is_some(), is_taken && opens, "{text}");
            assert_eq!(read, if is_taken && opens { "next" } else { &text });
        }
    }

    #[test]
    fn an_answer_has_a_line_for_each_header() {
        let mut headers = HeaderMap::new();
        headers.append("a", HeaderValue::from_static("1"));
        headers.append("a", HeaderValue::from_static("2"));
        let mut out = Vec::new();
        put_head(&mut out, StatusCode::NO_CONTENT, &headers);
        assert_eq!(out, b"HTTP/1.1 204 No Content\r\na: 1\r\na: 2\r\n");
    }
}
