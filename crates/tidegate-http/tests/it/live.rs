//! Live streams as seen by the socket: stalled readers and the drain.

use std::time::Duration;

use tidegate_http::{AccessRule, Who};
use tidegate_types::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::fixture::{Server, get};

async fn server(limits: Limits) -> Server {
    Server::with(|setup| {
        setup.limits = limits;
        setup.config.access = vec![AccessRule {
            path: "public/**".parse().unwrap(),
            read: Who::Anyone,
            write: Who::Anyone,
            subscribe: Who::Nobody,
        }];
    })
    .await
}

async fn put(server: &Server, bytes: usize) {
    let head = format!(
        "PUT /v1/stream/public/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {bytes}\r\n\r\n"
    );
    let made = server.send(&(head + &"x".repeat(bytes))).await;
    assert_eq!(made.status, 201, "{}", made.raw);
}

async fn open(server: &Server) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let request = get("/v1/stream/public/a?offset=-1&live=events", &[("Accept", "text/event-stream")]);
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_reader_that_takes_nothing_for_too_long_is_cut() {
    let limits = Limits { tail_stall_ms: 1_000, body_bytes: 32 << 20, ..Limits::default() };
    let server = server(limits).await;
    put(&server, 24 << 20).await;
    let _never_read = open(&server).await;
    server.until(|page| page.contains("tidegate_connections 1")).await;
    server.until(|page| page.contains("tidegate_connections 0") && page.contains("tidegate_sockets 0")).await;
}

#[tokio::test]
async fn an_idle_live_stream_outlives_every_limit_of_ordinary_requests() {
    let limits = Limits {
        header_timeout_ms: 200,
        body_pause_ms: 200,
        write_timeout_ms: 200,
        idle_timeout_ms: 1_000,
        ..Limits::default()
    };
    let server = server(limits).await;
    put(&server, 3).await;
    let mut socket = open(&server).await;
    let mut buffer = [0; 4_096];
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2_000) {
        if let Ok(read) = timeout(Duration::from_millis(200), socket.read(&mut buffer)).await {
            assert_ne!(read.unwrap(), 0, "closed after {:?}", started.elapsed());
        }
    }
}

#[tokio::test]
async fn a_drain_ends_live_streams_with_its_reason() {
    let server = server(Limits::default()).await;
    put(&server, 3).await;
    let mut socket = open(&server).await;
    server.until(|page| page.contains("tidegate_connections 1")).await;
    let started = Instant::now();
    server.stop().await;
    assert!(started.elapsed() < Duration::from_secs(5));
    let mut answer = String::new();
    timeout(Duration::from_secs(5), socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains("event: tidegate.end") && answer.contains("\"drain\""), "{answer}");
}
