//! Cross-origin rules over the wire.

use rstest::rstest;
use tidegate_http::{AccessRule, Who};

use crate::fixture::{Server, get};

const LISTED: &str = "https://app.example.org";

async fn server() -> Server {
    Server::with(|setup| {
        setup.config.cors_origins = vec![LISTED.to_owned()];
        setup.config.access = vec![AccessRule {
            path: "public/**".parse().unwrap(),
            read: Who::Anyone,
            write: Who::Nobody,
            subscribe: Who::Nobody,
        }];
    })
    .await
}

#[tokio::test]
async fn a_listed_origin_may_read_every_answer_errors_too() {
    let server = server().await;
    for path in ["/healthz", "/nowhere", "/api/v1/auth/me?jwt=x"] {
        let answer = server.send(&get(path, &[("Origin", LISTED)])).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{path}");
        assert!(answer.header("access-control-expose-headers").unwrap().contains("Retry-After"));
        assert!(answer.header("vary").unwrap().contains("Origin"), "{path}");
    }
}

#[rstest]
#[case("http://app.example.org")]
#[case("https://app.example.org.")]
#[case("https://app.example.org:443")]
#[case("https://app.example.org.evil.test")]
#[case("https://evil-app.example.org")]
#[case("https://evil.app.example.org")]
#[case("https://app.example.or")]
#[case("https://app.example.orgx")]
#[case("https://APP.example.org")]
#[case("https://app.example.org/")]
#[case("https://app.example.org@evil.test")]
#[case("https://evil.test/https://app.example.org")]
#[case("app.example.org")]
#[case("//app.example.org")]
#[case("null")]
#[case("*")]
#[case("file://")]
#[case("https://app_example.org")]
#[case("https://appXexample.org")]
#[case("https://app.example.org%00")]
#[case("https://app.example.org, https://evil.test")]
#[case("https://app.example.org https://evil.test")]
#[case("wss://app.example.org")]
#[case("https://example.org")]
#[case("https://xn--app-example.org")]
#[tokio::test]
async fn near_misses_of_a_listed_origin_get_nothing(#[case] origin: &str) {
    let server = server().await;
    let answer = server.send(&get("/healthz", &[("Origin", origin)])).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let preflight = server.send(&preflight("/api/v1/generations", origin)).await;
    assert_eq!(preflight.header("access-control-allow-origin"), None);
    assert_eq!(preflight.header("access-control-allow-methods"), None);
}

#[tokio::test]
async fn preflight_lists_what_a_page_may_send() {
    let server = server().await;
    let answer = server.send(&preflight("/api/v1/generations", LISTED)).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
    let headers = answer.header("access-control-allow-headers").unwrap();
    for name in
        ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Request-Id"]
    {
        assert!(headers.contains(name), "{name}");
    }
    assert!(answer.header("access-control-allow-methods").unwrap().contains("PUT"));
}

#[tokio::test]
async fn a_stream_open_to_anyone_is_open_to_any_origin_without_credentials() {
    let server = server().await;
    let answer = server.send(&preflight("/v1/stream/public/a", "https://any.test")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let hidden = server.send(&preflight("/v1/stream/private/a", "https://any.test")).await;
    assert_eq!(hidden.header("access-control-allow-origin"), None);
    let reserved =
        server.send(&preflight("/v1/stream/public%2F..%2Fgenerations/a", "https://any.test")).await;
    assert_eq!(reserved.header("access-control-allow-origin"), None);
}

fn preflight(path: &str, origin: &str) -> String {
    format!(
        "OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\
         Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n"
    )
}
