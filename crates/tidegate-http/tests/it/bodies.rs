//! Bodies that are slow, endless or cut short, on a route that reads them.

use std::time::Duration;

use tidegate_http::{AccessRule, Who};
use tidegate_types::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fixture::{Server, get};

async fn server(limits: Limits) -> Server {
    let server = Server::with(|setup| {
        setup.limits = limits;
        setup.config.access = vec![AccessRule {
            path: "public/**".parse().unwrap(),
            read: Who::Anyone,
            write: Who::Anyone,
            subscribe: Who::Nobody,
        }];
    })
    .await;
    let made = server
        .send("PUT /v1/stream/public/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(made.status, 201, "{}", made.raw);
    server
}

fn append(rest: &str) -> String {
    format!("POST /v1/stream/public/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n{rest}")
}

#[tokio::test]
async fn a_body_that_pauses_too_long_is_told_so_and_the_connection_ends() {
    let server = server(Limits { body_pause_ms: 200, ..Limits::default() }).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(append("Content-Length: 10\r\n\r\nabc").as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(5), socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"request-timeout\""));
    assert!(answer.to_ascii_lowercase().contains("connection: close"));
}

#[tokio::test]
async fn a_chunked_body_that_outgrows_its_bound_is_refused_where_the_client_sees_it() {
    let server = server(Limits { body_bytes: 4_096, ..Limits::default() }).await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4_096));
    let body = format!("{}0\r\n\r\n", chunk.repeat(64));
    let answer = server.send(&append(&format!("Transfer-Encoding: chunked\r\n\r\n{body}"))).await;
    assert_eq!((answer.status, answer.code()), (413, "body-too-large".to_owned()));
    let read = server.send(&get("/v1/stream/public/a?offset=-1", &[])).await;
    assert_eq!((read.status, read.body.as_str()), (200, ""), "nothing was stored");
}

#[tokio::test]
async fn a_body_cut_short_stores_nothing() {
    let server = server(Limits::default()).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(append("Content-Length: 10\r\n\r\nabc").as_bytes()).await.unwrap();
    drop(socket);
    server.until(|page| page.contains("tidegate_sockets 0")).await;
    let read = server.send(&get("/v1/stream/public/a?offset=-1", &[])).await;
    assert_eq!((read.status, read.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_refused_body_leaves_the_connection_usable() {
    let server = server(Limits::default()).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let refused = format!(
        "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc{}",
        get("/healthz", &[])
    );
    socket.write_all(refused.as_bytes()).await.unwrap();
    let mut answers = String::new();
    let mut buffer = [0; 4_096];
    while !answers.contains("\"ok\"") {
        let read = timeout(Duration::from_secs(5), socket.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "closed after {answers}");
        answers.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    assert!(answers.starts_with("HTTP/1.1 404 "));
}
