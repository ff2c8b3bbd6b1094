//! What is refused before any handler: hosts, methods, credentials in URLs, sizes, encodings.

use rstest::rstest;
use tidegate_types::Limits;

use crate::fixture::{Server, get};

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";

#[tokio::test]
async fn every_answer_names_its_request() {
    let server = Server::start().await;
    let answer = server.send(&get("/healthz", &[("X-Request-Id", "abc-123_x.y")])).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-request-id"), Some("abc-123_x.y"));
    let made = server.send(&get("/nowhere", &[("X-Request-Id", "no spaces, please")])).await;
    let id = made.header("x-request-id").unwrap();
    assert!(id.len() >= 16 && !id.contains(' '));
    assert_eq!(made.problem()["request_id"], id);
}

#[tokio::test]
async fn every_answer_has_the_safe_headers() {
    let server = Server::start().await;
    for path in ["/healthz", "/nowhere", "/docs", "/problems/not-found"] {
        let answer = server.send(&get(path, &[])).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(answer.header("cache-control").is_some(), "{path}");
        assert_eq!(answer.header("server"), None, "{path}");
    }
    assert_eq!(server.send(&get("/nowhere", &[])).await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed_are_problems() {
    let server = Server::start().await;
    let absent = server.send(&get("/nowhere", &[])).await;
    assert_eq!((absent.status, absent.code()), (404, "not-found".to_owned()));
    let wrong = server.send("DELETE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((wrong.status, wrong.code()), (405, "method-not-allowed".to_owned()));
    assert!(wrong.header("allow").unwrap().contains("GET"));
    for method in ["TRACE", "CONNECT"] {
        let target = if method == "CONNECT" { "localhost:80" } else { "/healthz" };
        let refused = server.send(&format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        assert_eq!((refused.status, refused.code()), (405, "method-not-allowed".to_owned()), "{method}");
        assert!(refused.header("allow").is_some());
    }
}

#[rstest]
#[case("attacker.test")]
#[case("localhost.attacker.test")]
#[case("127.0.0.1.attacker.test:80")]
#[case("0.0.0.0")]
#[case("localhost.")]
#[case("user@localhost")]
#[tokio::test]
async fn a_foreign_host_is_misdirected(#[case] host: &str) {
    let server = Server::start().await;
    let answer = server.send(&format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!((answer.status, answer.code()), (421, "host-not-allowed".to_owned()));
    assert!(!answer.body.contains("ok"));
}

#[tokio::test]
async fn a_request_has_exactly_one_host() {
    let server = Server::start().await;
    let none = server.send("GET /healthz HTTP/1.1\r\n\r\n").await;
    assert_eq!((none.status, none.code()), (400, "invalid-request".to_owned()));
    let two = server.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((two.status, two.code()), (400, "invalid-request".to_owned()));
}

#[tokio::test]
async fn a_credential_in_a_url_is_refused_everywhere_and_never_repeated() {
    let server = Server::start().await;
    let names = ["token", "sse_token", "ticket", "access_token", "jwt", "api_key", "key", "authorization"];
    let routes =
        ["/healthz", "/api/v1/generations/x/stream", "/api/v1/events/stream", "/v1/stream/a/b", "/nowhere"];
    for (name, route) in names.iter().flat_map(|name| routes.iter().map(move |route| (name, route))) {
        let answer =
            server.send(&get(&format!("{route}?{name}={JWT}"), &[("Authorization", "Bearer x")])).await;
        assert_eq!((answer.status, answer.code()), (401, "credential-in-url".to_owned()), "{route}?{name}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_request\""));
        assert!(!answer.raw.contains(JWT));
    }
}

#[tokio::test]
async fn doubled_tickets_and_doubled_headers_are_malformed() {
    let server = Server::start().await;
    let tickets = server.send(&get("/v1/stream/a?ticket=a&ticket=b", &[])).await;
    assert_eq!((tickets.status, tickets.code()), (400, "duplicate-parameter".to_owned()));
    let headers =
        server.send(&get("/healthz", &[("Authorization", "Bearer a"), ("Authorization", "Bearer b")])).await;
    assert_eq!((headers.status, headers.code()), (400, "invalid-request".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_read_so_that_its_client_sees_why() {
    let server = Server::start().await;
    for (path, bytes) in
        [("/api/v1/auth/login", 1 << 20), ("/auth/login", 17 << 10), ("/api/v1/generations", 4 << 20)]
    {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {bytes}\r\n\r\n");
        let answer = server.send(&(head + &"x".repeat(bytes))).await;
        assert_eq!((answer.status, answer.code()), (413, "body-too-large".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_a_go_ahead_gets_its_refusal_instead() {
    let server = Server::start().await;
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n";
    let answer = server.send(head).await;
    assert_eq!(answer.status, 413);
    assert!(!answer.raw.contains("100 Continue"));
}

#[tokio::test]
async fn encoded_bodies_are_not_accepted() {
    let server = Server::start().await;
    let answer = server
        .send("POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")
        .await;
    assert_eq!((answer.status, answer.code()), (415, "encoding-not-accepted".to_owned()));
}

#[tokio::test]
async fn calls_without_a_credential_have_a_bound_per_address() {
    let limits = Limits { anonymous_per_minute_per_address: 3, ..Limits::default() };
    let server = Server::with(|setup| setup.limits = limits).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(server.send(&get("/api/v1/nothing", &[])).await.status);
    }
    assert_eq!(statuses, [404, 404, 404, 429, 429]);
    let refused = server.send(&get("/api/v1/nothing", &[])).await;
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    assert_eq!(server.send(&get("/healthz", &[])).await.status, 200);
}
