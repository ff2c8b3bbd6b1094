//! A live stream between other requests on one socket.

use std::time::Duration;

use tidegate_log::{Append, NewStream};
use tidegate_types::StreamPath;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fixture::{Server, get};
use crate::streams::open_public;

const PATIENCE: Duration = Duration::from_secs(20);
const URL: &str = "/v1/stream/public/a?live=events";

fn path() -> StreamPath {
    "public/a".parse().unwrap()
}

async fn server() -> Server {
    let server = Server::with(open_public).await;
    server.log.create(&path(), NewStream::json()).await.unwrap();
    server
}

/// Reads until the text is there; answers all that came.
async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut all = Vec::new();
    let read = async {
        loop {
            let seen = String::from_utf8_lossy(&all).into_owned();
            if seen.contains(text) {
                return seen;
            }
            assert_ne!(socket.read_buf(&mut all).await.unwrap(), 0, "closed after {seen}");
        }
    };
    timeout(PATIENCE, read).await.expect("it never came")
}

#[tokio::test]
async fn a_socket_serves_on_before_and_after_a_stream() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    for round in 0..2 {
        socket.write_all(get("/healthz", &[]).as_bytes()).await.unwrap();
        read_until(&mut socket, "\r\n\r\n").await;
        server.log.create(&path(), NewStream::json()).await.unwrap();
        socket.write_all(get(URL, &[]).as_bytes()).await.unwrap();
        assert!(read_until(&mut socket, "tidegate.hello").await.contains("chunked"));
        server.log.append(&path(), Append::one("1")).await.unwrap();
        read_until(&mut socket, "data: 1\n\n\r\n").await;
        server.log.delete(&path()).await.unwrap();
        let end = read_until(&mut socket, "0\r\n\r\n").await;
        assert!(end.contains("\"deleted\"") && end.ends_with("0\r\n\r\n"), "round {round}: {end}");
    }
    server.until(|page| page.contains("tidegate_connections 0")).await;
}

#[tokio::test]
async fn what_was_sent_ahead_is_answered_when_the_stream_has_ended() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let both = get(URL, &[]) + &get("/healthz", &[]);
    socket.write_all(both.as_bytes()).await.unwrap();
    read_until(&mut socket, "tidegate.hello").await;
    socket.write_all(get("/problems", &[("Connection", "close")]).as_bytes()).await.unwrap();
    server.log.append(&path(), Append::close()).await.unwrap();
    let mut rest = String::new();
    timeout(PATIENCE, socket.read_to_string(&mut rest)).await.unwrap().unwrap();
    let (stream, answers) = rest.split_once("0\r\n\r\n").unwrap();
    assert!(stream.contains("\"eof\""), "{rest}");
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{rest}");
}

#[tokio::test]
async fn a_client_that_asked_for_it_gets_the_socket_closed_after_the_end() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(get(URL, &[("Connection", "close")]).as_bytes()).await.unwrap();
    read_until(&mut socket, "tidegate.hello").await;
    server.log.append(&path(), Append::close()).await.unwrap();
    let mut rest = String::new();
    timeout(PATIENCE, socket.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn a_client_that_hangs_up_is_noticed_without_any_traffic() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(get(URL, &[]).as_bytes()).await.unwrap();
    read_until(&mut socket, "tidegate.hello").await;
    server.until(|page| page.contains("tidegate_connections 1")).await;
    drop(socket);
    server.until(|page| page.contains("tidegate_connections 0") && page.contains("tidegate_sockets 0")).await;
}

/// Hangs up once a stream has said hello, and waits until that was noticed.
async fn visit(server: &Server) {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(get(URL, &[]).as_bytes()).await.unwrap();
    read_until(&mut socket, "tidegate.hello").await;
    drop(socket);
    server.until(|page| page.contains("tidegate_connections 0")).await;
}

#[tokio::test]
async fn what_is_appended_after_the_last_reader_left_is_there_for_the_next() {
    let server = server().await;
    visit(&server).await;
    for record in ["1", "2"] {
        server.log.append(&path(), Append::one(record)).await.unwrap();
    }
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(get(&format!("{URL}&after=0000000000000000"), &[]).as_bytes()).await.unwrap();
    let seen = read_until(&mut socket, "data: 2\n\n").await;
    assert_eq!((seen.matches("data: 1\n").count(), seen.matches("data: 2\n").count()), (1, 1), "{seen}");
    server.log.append(&path(), Append::one("3")).await.unwrap();
    read_until(&mut socket, "data: 3\n\n").await;
}

#[tokio::test]
async fn a_stream_made_anew_after_its_last_reader_left_is_another() {
    let server = server().await;
    server.log.append(&path(), Append::one("\"old\"")).await.unwrap();
    visit(&server).await;
    server.log.delete(&path()).await.unwrap();
    server.log.create(&path(), NewStream::json()).await.unwrap();
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(get(&format!("{URL}&after=0000000000000000"), &[]).as_bytes()).await.unwrap();
    read_until(&mut socket, "tidegate.hello").await;
    server.log.append(&path(), Append::one("\"new\"")).await.unwrap();
    let seen = read_until(&mut socket, "\"new\"").await;
    assert!(!seen.contains("old") && !seen.contains("tidegate.end"), "{seen}");
}

#[tokio::test]
async fn a_request_that_comes_in_pieces_opens_its_stream() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let request = get(URL, &[]);
    for piece in request.as_bytes().chunks(request.len() / 3) {
        socket.write_all(piece).await.unwrap();
        socket.flush().await.unwrap();
        // Others' requests lie in between, so that each piece is met by itself.
        assert_eq!(server.send(&get("/healthz", &[])).await.status, 200);
    }
    read_until(&mut socket, "tidegate.hello").await;
    server.log.append(&path(), Append::one("1")).await.unwrap();
    read_until(&mut socket, "data: 1\n\n").await;
}

#[tokio::test]
async fn who_hangs_up_before_the_head_is_whole_leaves_nothing_behind() {
    let server = server().await;
    for first in ["", "GET /v1/stream/public/a?live=events HTTP/1.1\r\nHo"] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(first.as_bytes()).await.unwrap();
        server.until(|page| page.contains("tidegate_sockets 1")).await;
        drop(socket);
        server
            .until(|page| page.contains("tidegate_sockets 0") && page.contains("tidegate_connections 0"))
            .await;
    }
}
