//! TLS from certificate files, HTTP/2 by ALPN, and a new certificate without a restart.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tidegate_http::{AccessRule, TlsFiles, Who};
use tidegate_types::Limits;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fixture::{PATIENCE, Server};

/// Writes a new certificate and returns what a client must trust.
fn write_certificate(folder: &Path) -> RootCertStore {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    roots
}

async fn connect(
    server: &Server,
    roots: RootCertStore,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let socket = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

async fn secure(limits: Limits) -> (Server, tempfile::TempDir, RootCertStore) {
    let folder = tempfile::tempdir().unwrap();
    let roots = write_certificate(folder.path());
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    let server = Server::with(|setup| {
        setup.config.tls = Some(files);
        setup.limits = limits;
        setup.config.access = vec![AccessRule {
            path: "public/**".parse().unwrap(),
            read: Who::Anyone,
            write: Who::Anyone,
            subscribe: Who::Nobody,
        }];
    })
    .await;
    (server, folder, roots)
}

#[tokio::test]
async fn http_2_is_chosen_by_alpn_and_answers_the_same() {
    let (server, _folder, roots) = secure(Limits::default()).await;
    let stream = connect(&server, roots, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    for (uri, status) in [
        ("https://localhost/healthz", 200),
        ("https://localhost/nowhere", 404),
        ("https://attacker.test/healthz", 421),
        ("https://localhost/healthz?jwt=x", 401),
    ] {
        let request = http::Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), status, "{uri}");
        assert!(response.headers().contains_key("x-request-id"));
        assert!(!response.headers().contains_key("connection"));
        response.into_body().collect().await.unwrap();
    }
    drop(sender);
    driver.await.unwrap().unwrap();
}

#[tokio::test]
async fn http_2_refuses_what_http_1_1_refuses() {
    let (server, _folder, roots) = secure(Limits::default()).await;
    let stream = connect(&server, roots, b"h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let get = || http::Request::get("https://localhost/healthz");
    let empty = Full::<Bytes>::default;
    let login = || http::Request::post("https://localhost/api/v1/auth/login");
    for (request, status) in [
        (get().header("authorization", "Bearer a").header("authorization", "Bearer b").body(empty()), 400),
        (get().header("x-long", "a".repeat(20_000)).body(empty()), 431),
        (login().body(Full::from(vec![b'x'; 1 << 20])), 413),
        (login().header("content-encoding", "gzip").body(Full::from("{}")), 415),
        (http::Request::get("https://localhost/v1/stream/a?ticket=a&ticket=b").body(empty()), 400),
        (http::Request::builder().method("TRACE").uri("https://localhost/").body(empty()), 405),
    ] {
        let response = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn an_http_2_reader_that_opens_no_window_is_cut() {
    let limits = Limits { tail_stall_ms: 1_000, body_bytes: 32 << 20, ..Limits::default() };
    let (server, _folder, roots) = secure(limits).await;
    let stream = connect(&server, roots, b"h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let uri = "https://localhost/v1/stream/public/a";
    for (method, status) in [("PUT", 201), ("POST", 204), ("POST", 204)] {
        let request = http::Request::builder().method(method).uri(uri).header("content-type", "text/plain");
        let request = request.body(Full::from(vec![b'x'; 8 << 20])).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), status);
    }
    let read =
        http::Request::get(format!("{uri}?offset=-1&live=events")).body(Full::<Bytes>::default()).unwrap();
    let _never_read = sender.send_request(read).await.unwrap();
    server.until(|page| page.contains("tidegate_connections 1")).await;
    server.until(|page| page.contains("tidegate_connections 0") && page.contains("tidegate_sockets 0")).await;
}

#[tokio::test]
async fn http_1_1_is_there_for_who_asks_for_it() {
    let (server, _folder, roots) = secure(Limits::default()).await;
    let stream = connect(&server, roots, b"http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request =
        http::Request::get("/healthz").header("host", "localhost").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_a_restart() {
    let (server, folder, old) = secure(Limits::default()).await;
    connect(&server, old, b"h2").await.unwrap();
    let new = write_certificate(folder.path());
    let taken = tokio::time::timeout(PATIENCE, async {
        while connect(&server, new.clone(), b"h2").await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    taken.await.expect("the new certificate was not taken");
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_cut() {
    let (server, _folder, _) = secure(Limits { header_timeout_ms: 200, ..Limits::default() }).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut byte = [0];
    let read =
        tokio::time::timeout(Duration::from_secs(5), tokio::io::AsyncReadExt::read(&mut silent, &mut byte))
            .await;
    assert_eq!(read.unwrap().unwrap_or(0), 0);
}
