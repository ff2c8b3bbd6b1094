//! `/v1/stream`: what the public suite does not ask. Paths, access, caching, what is not served yet.

use rstest::rstest;
use tidegate_http::{AccessRule, Who};

use crate::events::{EventStream, ask};
use crate::fixture::{Server, Setup, get};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const TEXT: (&str, &str) = ("Content-Type", "text/plain");

pub(crate) fn open_public(setup: &mut Setup) {
    let rule = |path: &str, read, write| AccessRule {
        path: path.parse().unwrap(),
        read,
        write,
        subscribe: Who::Nobody,
    };
    setup.config.access = vec![
        rule("public/closed/**", Who::Nobody, Who::Nobody),
        rule("public/**", Who::Anyone, Who::Anyone),
        rule("drop/**", Who::Nobody, Who::Anyone),
        rule("**", Who::Nobody, Who::Nobody),
    ];
}

#[rstest]
#[case("/v1/stream/public/a%2Fb")]
#[case("/v1/stream/public/%2e%2e/secret")]
#[case("/v1/stream/public//a")]
#[case("/v1/stream/public/a/")]
#[case("/v1/stream/public/a%00")]
#[tokio::test]
async fn a_path_that_reads_differently_elsewhere_is_refused(#[case] path: &str) {
    let server = Server::with(open_public).await;
    let answer = server.send(&get(path, &[])).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid-request".to_owned()));
}

#[rstest]
#[case("PUT /v1/stream/public/a", 201)]
#[case("PUT /v1/stream/public/closed/a", 401)]
#[case("PUT /v1/stream/drop/a", 201)]
#[case("PUT /v1/stream/other/a", 401)]
#[case("PUT /v1/stream/generations/a", 401)]
#[case("PUT /v1/stream/users/a/events", 401)]
#[case("GET /v1/stream/drop/a", 401)]
#[case("GET /v1/stream/public/absent", 404)]
#[case("GET /v1/stream/other/absent", 401)]
#[case("GET /v1/stream/generations/absent", 401)]
#[case("HEAD /v1/stream/other/absent", 401)]
#[case("DELETE /v1/stream/other/absent", 401)]
#[case("DELETE /v1/stream/public/absent", 404)]
#[case("POST /v1/stream/public/absent?ticket", 401)]
#[case("POST /v1/stream/public/absent?ticket=tgt_x", 401)]
#[case("GET /v1/stream/public/absent?live=events&ticket=tgt_x", 404)]
#[case("GET /v1/stream/public/absent?live=what", 400)]
#[case("GET /v1/stream/public/absent?live=long-poll", 400)]
#[tokio::test]
async fn nobody_may_do_what_a_rule_says_and_nothing_else(#[case] request: &str, #[case] status: u16) {
    let server = Server::with(open_public).await;
    let answer = ask(&server, request, &[TEXT], "").await;
    assert_eq!(answer.status, status, "{}", answer.raw);
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
}

#[tokio::test]
async fn a_shared_cache_keeps_only_what_is_settled_and_open_to_anyone() {
    let server = Server::with(open_public).await;
    ask(&server, "PUT /v1/stream/public/a", &[TEXT], "x").await;
    let open = server.send(&get("/v1/stream/public/a", &[])).await;
    assert_eq!(open.header("cache-control"), Some("private, no-cache"));
    let now = server.send(&get("/v1/stream/public/a?offset=now", &[])).await;
    assert_eq!((now.header("cache-control"), now.header("etag")), (Some("no-store"), None));
    ask(&server, "POST /v1/stream/public/a", &[("Stream-Closed", "true")], "").await;
    let closed = server.send(&get("/v1/stream/public/a", &[])).await;
    assert!(closed.header("cache-control").unwrap().starts_with("public, max-age=60"));
    assert_ne!(open.header("etag"), closed.header("etag"));
}

#[tokio::test]
async fn a_path_made_again_shares_no_entity_tag_with_the_one_before() {
    let server = Server::with(open_public).await;
    ask(&server, "PUT /v1/stream/public/a", &[TEXT], "old").await;
    let old = server.send(&get("/v1/stream/public/a", &[])).await;
    let tag = old.header("etag").unwrap().to_owned();
    let known = server.send(&get("/v1/stream/public/a", &[("If-None-Match", &tag)])).await;
    assert_eq!((known.status, known.header("etag")), (304, Some(tag.as_str())));
    ask(&server, "DELETE /v1/stream/public/a", &[], "").await;
    ask(&server, "PUT /v1/stream/public/a", &[TEXT], "new").await;
    let new = server.send(&get("/v1/stream/public/a", &[("If-None-Match", &tag)])).await;
    assert_eq!((new.status, new.body.as_str()), (200, "new"));
}

#[tokio::test]
async fn a_cursor_ahead_or_trimmed_is_an_error_to_clients_of_the_protocol() {
    let server = Server::with(open_public).await;
    let (path, ahead) = ("/v1/stream/public/a", "0000000000000009");
    ask(&server, &format!("PUT {path}"), &[JSON], "[1,2,3]").await;
    for live in ["", "&live=long-poll", "&live=sse"] {
        let answer = server.send(&get(&format!("{path}?offset={ahead}{live}"), &[])).await;
        assert_eq!((answer.status, answer.code()), (409, "cursor-ahead".to_owned()), "{live}");
    }
    server.log.trim(&"public/a".parse().unwrap(), tidegate_types::Offset::new(2).unwrap()).await.unwrap();
    for live in ["", "&live=long-poll", "&live=sse"] {
        let answer = server.send(&get(&format!("{path}?offset=0000000000000001{live}"), &[])).await;
        assert_eq!((answer.status, answer.code()), (410, "gone".to_owned()), "{live}");
        let missing = ["from", "to"].map(|name| answer.problem()[name].as_str().unwrap().to_owned());
        assert_eq!(missing, ["0000000000000001", "0000000000000002"], "{live}");
    }
    assert_eq!(server.send(&get(&format!("{path}?offset=-1"), &[])).await.body, "[3]");
}

#[tokio::test]
async fn json_that_is_none_is_a_400_and_depth_is_bounded() {
    let server = Server::with(open_public).await;
    ask(&server, "PUT /v1/stream/public/a", &[JSON], "").await;
    let append = "POST /v1/stream/public/a";
    assert_eq!(ask(&server, append, &[JSON], "{").await.code(), "invalid-json");
    assert_eq!(ask(&server, append, &[JSON], "[]").await.code(), "empty-body");
    assert_eq!(ask(&server, append, &[JSON], &"[".repeat(10_000)).await.code(), "json-too-deep");
    assert_eq!(ask(&server, append, &[TEXT], "x").await.code(), "content-type-mismatch");
    assert_eq!(ask(&server, append, &[], "x").await.code(), "invalid-request");
}

#[tokio::test]
async fn a_post_with_a_live_query_opens_the_stream() {
    let server = Server::with(open_public).await;
    ask(&server, "PUT /v1/stream/public/a", &[JSON], "[1]").await;
    let request =
        "POST /v1/stream/public/a?live=events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let mut stream = EventStream::send(&server, request).await;
    assert_eq!(stream.next().await.unwrap().name, "tidegate.hello");
    assert_eq!(stream.next().await.unwrap().data, "1");
}
