//! A live stream is opened by one of two readers of HTTP: hyper, or our own where it may leave with
//! its socket. Whoever asks can't tell which.

use std::time::Duration;

use tidegate_gate::{AuditFilter, AuditOrder, AuditPage};
use tidegate_http::{AccessRule, Who};
use tidegate_log::{Append, NewStream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::events::ask;
use crate::fixture::{Server, get};
use crate::people::{Person, key, user};

const LISTED: &str = "https://app.example.org";
const REQUEST_ID: &str = "one-and-the-same";
const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose live streams leave, or stay, and two who may read there.
struct Side {
    server: Server,
    key: Person,
    user: Person,
}

impl Side {
    async fn start(detach: bool) -> Self {
        let server = Server::with(|setup| {
            setup.config.detach = detach;
            setup.config.cors_origins = vec![LISTED.to_owned()];
            let rule = |path: &str, read| AccessRule {
                path: path.parse().unwrap(),
                read,
                write: Who::Nobody,
                subscribe: Who::Nobody,
            };
            setup.config.access = vec![rule("public/**", Who::Anyone), rule("**", Who::Nobody)];
        })
        .await;
        for name in ["public/a", "runs/1"] {
            let records = vec!["1".into(), r#"{"type":"delta"}"#.into()];
            server
                .log
                .create(&name.parse().unwrap(), NewStream { records, ..NewStream::json() })
                .await
                .unwrap();
        }
        let closed = "public/closed".parse().unwrap();
        server.log.create(&closed, NewStream::json()).await.unwrap();
        server.log.append(&closed, Append::close()).await.unwrap();
        let blob = NewStream { content_type: "application/octet-stream".to_owned(), ..NewStream::json() };
        server.log.create(&"public/blob".parse().unwrap(), blob).await.unwrap();
        let (key, _) = key(&server, &["streams:read:runs/**"], None).await;
        let user = user(&server, "ada").await;
        Self { server, key, user }
    }

    async fn ticket(&self) -> String {
        let headers = [("Authorization", self.key.authorization.as_str())];
        let answer = ask(&self.server, "POST /v1/stream/runs/1?ticket", &headers, "").await;
        let answer: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        answer["sse_token"].as_str().unwrap().to_owned()
    }

    /// The answer's head, sorted, and the first line of its body.
    async fn head_of(&self, path: &str, headers: &[(&str, &str)]) -> (Vec<String>, String) {
        let mut socket = TcpStream::connect(self.server.address).await.unwrap();
        let mut all = vec![("X-Request-Id", REQUEST_ID)];
        all.extend_from_slice(headers);
        socket.write_all(get(path, &all).as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let read = async {
            loop {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && is_enough(head, body)
                {
                    return (head.to_owned(), body.to_owned());
                }
                assert_ne!(socket.read_buf(&mut bytes).await.unwrap(), 0, "closed after {text}");
            }
        };
        let (head, body) = timeout(PATIENCE, read).await.expect("no answer");
        let mut lines: Vec<String> = head.lines().map(same).collect();
        lines.sort();
        // Neither the size of a chunk nor what is drawn for each connection.
        let first = body.lines().find(|line| line.contains(':') && !line.starts_with("retry:"));
        let first = first.unwrap_or_default();
        (lines, if first.starts_with("id: ") { first.chars().take(20).collect() } else { first.to_owned() })
    }
}

/// Whether all of an answer is there, or the first chunk of one without an end.
fn is_enough(head: &str, body: &str) -> bool {
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    match length {
        Some(length) => body.len() >= length.parse().unwrap(),
        None => head.contains(" 204 ") || body.contains("\n\n\r\n"),
    }
}

/// A line without what differs from one moment to the next.
fn same(line: &str) -> String {
    match line.split_once(": ") {
        Some(("date", _)) => "date: some day".to_owned(),
        _ => line.to_owned(),
    }
}

#[tokio::test]
async fn every_head_is_the_same_on_both_ways() {
    let sides = [Side::start(true).await, Side::start(false).await];
    let asked: &[(&str, &[(&str, &str)])] = &[
        ("/v1/stream/public/a?live=events", &[]),
        ("/v1/stream/public/a?live=events", &[("Last-Event-ID", "0000000000000001")]),
        ("/v1/stream/public/a?live=events", &[("Last-Event-ID", "x")]),
        ("/v1/stream/public/a?live=events&last_event_id=0000000000000001.AAAAAAAAAAAAAAAAAAAAAA", &[]),
        ("/v1/stream/public/a?live=events", &[("Origin", LISTED)]),
        ("/v1/stream/public/a?live=events", &[("Origin", "https://evil.test")]),
        ("/v1/stream/public/a?live=events", &[("Connection", "keep-alive"), ("Accept", "text/event-stream")]),
        ("/v1/stream/public/a?live=sse&offset=-1", &[]),
        ("/v1/stream/public/a?live=sse&offset=now&cursor=9", &[]),
        ("/v1/stream/public/a?live=sse&offset=0000000000000009", &[]),
        ("/v1/stream/public/a?live=sse", &[]),
        ("/v1/stream/public/a?live=sse&live=events", &[]),
        ("/v1/stream/public/blob?live=sse&offset=-1", &[]),
        ("/v1/stream/public/closed?live=sse&offset=-1", &[]),
        ("/v1/stream/public/closed?live=events", &[]),
        ("/v1/stream/public/nowhere?live=events", &[]),
        ("/v1/stream/public/%2e%2e?live=events", &[]),
        ("/v1/stream/runs/1?live=events", &[]),
        ("/v1/stream/runs/1?live=events", &[("Authorization", "Bearer nonsense")]),
        ("/v1/stream/runs/1?live=events&access_token=abc", &[]),
        ("/v1/stream/runs/1?ticket=tgt_nonsense", &[]),
        ("/v1/stream/runs/1?ticket=", &[]),
        ("/v1/stream/public/a?live=events", &[("Host", "evil.test")]),
        ("/api/v1/generations/none/stream", &[]),
        ("/api/v1/nothing/stream", &[]),
        ("/api/v1/events/stream", &[]),
    ];
    for (path, headers) in asked {
        let (ours, theirs) = (sides[0].head_of(path, headers).await, sides[1].head_of(path, headers).await);
        assert_eq!(ours, theirs, "{path} {headers:?}");
    }
    for path in ["/v1/stream/runs/1?live=events", "/v1/stream/runs/1?live=sse&offset=-1"] {
        let [ours, theirs] = &sides;
        let ours = ours.head_of(path, &[("Authorization", &ours.key.authorization)]).await;
        assert!(ours.0.contains(&"HTTP/1.1 200 OK".to_owned()), "{ours:?}");
        assert_eq!(ours, theirs.head_of(path, &[("Authorization", &theirs.key.authorization)]).await);
    }
    let [ours, theirs] = &sides;
    let feed = "/api/v1/events/stream?types=task.*";
    let ours = ours.head_of(feed, &[("Authorization", &ours.user.authorization)]).await;
    assert_eq!(ours, theirs.head_of(feed, &[("Authorization", &theirs.user.authorization)]).await);
}

#[tokio::test]
async fn a_ticket_is_spent_and_resumed_the_same_on_both_ways() {
    let (mut seen, mut kinds) = (Vec::new(), Vec::new());
    for detach in [true, false] {
        let side = Side::start(detach).await;
        let path = format!("/v1/stream/runs/1?ticket={}", side.ticket().await);
        let first = side.head_of(&path, &[]).await;
        let again = side.head_of(&path, &[]).await;
        let wrong = [("Last-Event-ID", "0000000000000001.AAAAAAAAAAAAAAAAAAAAAA")];
        seen.push((first, again, side.head_of(&path, &wrong).await));
        side.server.gate.flush_audit().await.unwrap();
        let page = AuditPage { cursor: None, limit: 100, order: AuditOrder::OldestFirst };
        let rows = side.server.gate.list_audit(AuditFilter::default(), page).await.unwrap();
        let of_request = rows.into_iter().filter(|row| row.request_id.as_deref() == Some(REQUEST_ID));
        kinds.push(of_request.map(|row| row.kind).collect::<Vec<_>>());
    }
    assert_eq!(kinds[0], kinds[1]);
    for kind in ["redeem", "stream-open"] {
        assert!(kinds[0].iter().any(|found| found == kind), "{kind} is not among {kinds:?}");
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].0.0.contains(&"HTTP/1.1 200 OK".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn a_full_node_says_the_same_on_both_ways() {
    let mut seen = Vec::new();
    for detach in [true, false] {
        let server = Server::with(|setup| {
            crate::streams::open_public(setup);
            setup.config.detach = detach;
            setup.limits.streams_per_node = 0;
        })
        .await;
        server.log.create(&"public/a".parse().unwrap(), NewStream::json()).await.unwrap();
        let (key, _) = key(&server, &["streams:read:public/**"], None).await;
        let user = user(&server, "ada").await;
        let side = Side { server, key, user };
        seen.push(side.head_of("/v1/stream/public/a?live=sse&offset=now", &[]).await);
    }
    assert_eq!(seen[0], seen[1]);
}
