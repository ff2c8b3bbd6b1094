//! Hostile and slow bytes on raw sockets, caps, and the drain.

use std::time::Duration;

use rstest::rstest;
use tidegate_types::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::fixture::{Server, get};
use crate::streams::open_public;

fn hasty() -> Limits {
    Limits { header_timeout_ms: 300, body_pause_ms: 300, write_timeout_ms: 300, ..Limits::default() }
}

#[rstest]
#[case::differing_lengths(
    "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab"
)]
#[case::chunked_in_1_0(
    "POST /healthz HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)]
#[case::folded_header("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n")]
#[case::not_last_chunked(
    "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"
)]
#[case::negative_length("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n")]
#[case::space_before_colon("GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n")]
#[case::zero_in_a_header("GET /healthz HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: a\0b\r\n\r\n")]
#[case::no_http("hello\r\n\r\n")]
#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused(#[case] request: &str) {
    let server = Server::start().await;
    let smuggled = format!("{request}GET /problems HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = server.send(&smuggled).await;
    assert_eq!(answer.status, 400, "{}", answer.raw);
    assert_eq!(answer.raw.matches("HTTP/1.").count(), 1);
}

#[tokio::test]
async fn with_both_framings_only_the_chunks_count() {
    let server = Server::start().await;
    let request = "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\nTransfer-Encoding: chunked\r\n\r\n\
                   0\r\n\r\n";
    assert_eq!(server.send(request).await.status, 404);
}

#[tokio::test]
async fn hundreds_who_come_at_once_are_all_let_wait() {
    let server = Server::start().await;
    // Once answered, it listens as it means to.
    assert_eq!(server.send(&get("/healthz", &[])).await.status, 200);
    // Nobody accepts in between: the runtime has this one thread.
    let connect = || std::net::TcpStream::connect_timeout(&server.address, Duration::from_millis(900));
    let waiting: Vec<_> = (0..300).map(|_| connect()).collect();
    assert_eq!(waiting.iter().filter(|waiting| waiting.is_err()).count(), 0);
}

#[tokio::test]
async fn a_head_that_is_too_large_gets_its_status() {
    let server = Server::start().await;
    let answer = server.send(&get("/healthz", &[("X-Long", &"a".repeat(20 * 1_024))])).await;
    assert_eq!(answer.status, 431);
    let many: Vec<(String, String)> = (0..2_000).map(|n| (format!("X-{n}"), "v".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(server.send(&get("/healthz", &many)).await.status, 431);
}

#[tokio::test]
async fn a_slow_head_ends_without_an_answer() {
    let server = Server::with(|setup| setup.limits = hasty()).await;
    for first in ["", "GET /healthz HTTP/1.1\r\nHost: loc"] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(first.as_bytes()).await.unwrap();
        let started = Instant::now();
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(5), socket.read_to_end(&mut answer)).await.unwrap();
        assert!(read.is_ok() || answer.is_empty());
        assert!(answer.is_empty());
        assert!(started.elapsed() >= Duration::from_millis(250));
    }
}

#[tokio::test]
async fn an_idle_connection_outlives_the_limit_of_a_head() {
    let server = Server::with(|setup| setup.limits = hasty()).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..2 {
        socket.write_all(get("/healthz", &[]).as_bytes()).await.unwrap();
        let mut head = [0; 12];
        socket.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        let mut rest = vec![0; 4_096];
        assert_ne!(socket.read(&mut rest).await.unwrap(), 0);
        // Longer than a head may take: nothing may end it.
        let silence = timeout(Duration::from_millis(600), socket.read_u8()).await;
        assert!(silence.is_err(), "closed while idle");
    }
}

#[tokio::test]
async fn an_address_over_its_cap_is_turned_away_and_a_closed_socket_makes_room() {
    let limits = Limits { connections_per_address: 2, ..Limits::default() };
    let server = Server::with(|setup| setup.limits = limits).await;
    let one = TcpStream::connect(server.address).await.unwrap();
    let _two = TcpStream::connect(server.address).await.unwrap();
    server.until(|page| page.contains("tidegate_sockets 2")).await;
    let mut three = TcpStream::connect(server.address).await.unwrap();
    let mut byte = [0];
    assert_eq!(timeout(Duration::from_secs(5), three.read(&mut byte)).await.unwrap().unwrap_or(0), 0);
    drop(one);
    server.until(|page| page.contains("tidegate_sockets 1")).await;
    assert_eq!(server.send(&get("/healthz", &[])).await.status, 200);
}

#[tokio::test]
async fn a_drain_closes_idle_connections_and_ends() {
    let server = Server::start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(get("/healthz", &[]).as_bytes()).await.unwrap();
    let mut head = [0; 12];
    idle.read_exact(&mut head).await.unwrap();
    let address = server.address;
    let started = Instant::now();
    server.stop().await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(TcpStream::connect(address).await.is_err());
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.unwrap().unwrap();
}

/// One request after the other in one write, and what is answered until the server closes.
async fn pipelined(server: &Server, requests: &[String]) -> String {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(requests.concat().as_bytes()).await.unwrap();
    let mut answers = String::new();
    timeout(Duration::from_secs(5), socket.read_to_string(&mut answers)).await.unwrap().unwrap();
    answers
}

fn statuses(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect()
}

#[tokio::test]
async fn plain_appends_and_all_other_requests_share_a_connection() {
    let server = Server::with(open_public).await;
    let on_a = |line: &str, rest: &str| {
        format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n{rest}")
    };
    let append = |body: &str| {
        on_a("POST /v1/stream/public/a", &format!("Content-Length: {}\r\n\r\n{body}", body.len()))
    };
    let chunked = on_a("POST /v1/stream/public/a", "Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n");
    let put = on_a("PUT /v1/stream/public/a", "Connection: close\r\nContent-Length: 0\r\n\r\n");
    let absent = append("x").replace("public/a", "public/absent");
    let read = on_a("GET /v1/stream/public/a", "Connection: close\r\n\r\n");
    let answers = pipelined(&server, &[absent.clone(), append("0"), put]).await;
    assert_eq!(statuses(&answers), ["404", "404", "201"], "{answers}");
    let answers = pipelined(&server, &[append("a"), absent, append("b"), chunked, append("d"), read]).await;
    assert_eq!(statuses(&answers), ["204", "404", "204", "204", "204", "200"], "{answers}");
    assert!(answers.ends_with("\r\n\r\nabcd"), "{answers}");
    assert_eq!(answers.matches("\r\ndate: ").count(), 6, "{answers}");
    assert_eq!(answers.matches("\r\nx-request-id: ").count(), 6, "{answers}");
}

#[tokio::test]
async fn an_append_that_stops_half_way_is_told_so() {
    let server = Server::with(|setup| {
        open_public(setup);
        setup.limits = hasty();
    })
    .await;
    let plain = "POST /v1/stream/public/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n";
    let answers = pipelined(&server, &[format!("{plain}abcde"), format!("{plain}ab")]).await;
    assert_eq!(statuses(&answers), ["404", "408"], "{answers}");
}

#[tokio::test]
async fn a_drain_ends_connections_that_only_append() {
    let server = Server::with(open_public).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let append = "POST /v1/stream/public/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na";
    socket.write_all(append.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    socket.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 404");
    timeout(Duration::from_secs(5), server.stop()).await.unwrap();
    timeout(Duration::from_secs(5), socket.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
}
