//! The events framing over real sockets: starts, resumes, pings, ends, caps and the audit.

use std::time::Duration;

use rstest::rstest;
use tidegate_gate::{AuditFilter, AuditOrder, AuditPage, ConnectionFilter, EndReason};
use tidegate_log::{Append, NewStream};
use tidegate_types::{Offset, StreamPath};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::events::{EventStream, ask};
use crate::fixture::{PATIENCE, Server, get};
use crate::streams::open_public;

const URL: &str = "/v1/stream/public/a?live=events";

fn path() -> StreamPath {
    "public/a".parse().unwrap()
}

async fn server_with(records: &[&str]) -> Server {
    let server = Server::with(open_public).await;
    fill(&server, records).await;
    server
}

async fn fill(server: &Server, records: &[&str]) {
    let records = records.iter().map(|record| record.as_bytes().to_vec().into()).collect();
    server.log.create(&path(), NewStream { records, ..NewStream::json() }).await.unwrap();
}

async fn append(server: &Server, record: &str) {
    server.log.append(&path(), Append::one(record.as_bytes().to_vec())).await.unwrap();
}

#[tokio::test]
async fn hello_comes_first_and_records_follow_with_their_names() {
    let server = server_with(&[r#"{"type":"delta","text":"a"}"#, r#"{"type":"tidegate.end"}"#]).await;
    let mut stream = EventStream::open(&server, URL, &[]).await;
    assert_eq!(stream.status, 200);
    for line in [
        "content-type: text/event-stream\r\n",
        "cache-control: no-cache, no-store, no-transform\r\n",
        "x-accel-buffering: no\r\n",
    ] {
        assert!(stream.head.contains(line), "{}", stream.head);
    }
    let hello = stream.next().await.unwrap();
    assert_eq!((hello.name.as_str(), hello.offset()), ("tidegate.hello", "0000000000000000"));
    assert!((1_000..=4_000).contains(&hello.retry.unwrap()));
    assert_eq!(
        hello.json(),
        serde_json::json!({"stream": "public/a", "up_to_date": false, "ping_seconds": 15})
    );
    let delta = stream.next().await.unwrap();
    assert_eq!((delta.name.as_str(), delta.id.as_deref()), ("delta", Some("0000000000000001")));
    let posing = stream.next().await.unwrap();
    assert_eq!((posing.name.as_str(), posing.offset()), ("", "0000000000000002"));
    append(&server, r#"{"n":3}"#).await;
    assert_eq!(stream.next().await.unwrap().data, r#"{"n":3}"#);
}

#[rstest]
#[case(&[("Last-Event-ID", "0000000000000002")], "", "3")]
#[case(&[("Last-Event-ID", "0000000000000002")], "&last_event_id=0000000000000001", "3")]
#[case(&[], "&last_event_id=0000000000000001&after=-1", "2")]
#[case(&[], "&after=0000000000000002", "3")]
#[case(&[], "&offset=0000000000000002", "3")]
#[case(&[], "&after=-1", "1")]
#[case(&[], "", "1")]
#[tokio::test]
async fn a_tail_starts_where_it_is_told(
    #[case] headers: &[(&str, &str)],
    #[case] query: &str,
    #[case] first: &str,
) {
    let server = server_with(&["1", "2", "3"]).await;
    let mut stream = EventStream::open(&server, &format!("{URL}{query}"), headers).await;
    assert_eq!(stream.next().await.unwrap().name, "tidegate.hello");
    assert_eq!(stream.next().await.unwrap().data, first);
}

#[rstest]
#[case(&[("Last-Event-ID", "99999999999999999999")], "", "invalid-cursor")]
#[case(&[("Last-Event-ID", "5%0d%0adata:x")], "", "invalid-cursor")]
#[case(&[], "&after=5", "invalid-cursor")]
#[case(&[], "&last_event_id=5", "invalid-cursor")]
#[case(&[], "&last_event_id=0000000000000005.AAAAAAAAAAAAAAAAAAAAAA", "resume-tag-in-url")]
#[case(&[], "&after=now&after=-1", "duplicate-parameter")]
#[tokio::test]
async fn a_start_that_is_none_is_refused(
    #[case] headers: &[(&str, &str)],
    #[case] query: &str,
    #[case] code: &str,
) {
    let server = server_with(&["1"]).await;
    let answer = server.send(&get(&format!("{URL}{query}"), headers)).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, code));
}

#[tokio::test]
async fn a_reader_cut_again_and_again_misses_nothing_and_sees_nothing_twice() {
    const RECORDS: usize = 300;
    let server = std::sync::Arc::new(server_with(&[]).await);
    let writer = tokio::spawn({
        let server = std::sync::Arc::clone(&server);
        async move {
            for n in 0..RECORDS {
                append(&server, &n.to_string()).await;
            }
            server.log.append(&path(), Append::close()).await.unwrap();
        }
    });
    let (mut seen, mut last, mut cuts) = (Vec::new(), None::<String>, 0);
    'connections: loop {
        let header = last.clone().unwrap_or_default();
        let mut stream = EventStream::open(&server, URL, &[("Last-Event-ID", &header)]).await;
        if stream.status == 204 {
            break;
        }
        for _ in 0..7 {
            let Some(event) = stream.next_but_ping().await else { continue 'connections };
            last = event.id.clone().or(last);
            if event.name.is_empty() {
                seen.push(event.data.parse::<usize>().unwrap());
            }
        }
        cuts += 1;
    }
    writer.await.unwrap();
    assert_eq!(seen, (0..RECORDS).collect::<Vec<_>>());
    assert!(cuts > 10, "{cuts} cuts prove little");
}

#[tokio::test]
async fn readers_that_come_and_go_are_all_served_the_last_one_too() {
    let server = std::sync::Arc::new(server_with(&["1"]).await);
    let mut visitors = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let server = std::sync::Arc::clone(&server);
        visitors.spawn(async move {
            for _ in 0..20 {
                let mut stream = EventStream::open(&server, URL, &[]).await;
                assert_eq!(stream.next().await.unwrap().name, "tidegate.hello");
                assert_eq!(stream.next().await.unwrap().data, "1");
            }
        });
    }
    let all = tokio::time::timeout(PATIENCE, visitors.join_all()).await;
    assert!(all.is_ok(), "a reader was left alone with its page");
}

#[tokio::test]
async fn a_closed_stream_ends_with_eof_and_a_reader_at_its_end_gets_204() {
    let server = server_with(&["1"]).await;
    let stream = EventStream::open(&server, URL, &[]).await;
    server.log.append(&path(), Append { close: true, ..Append::one("2") }).await.unwrap();
    let events = stream.rest().await;
    assert_eq!(
        events.iter().map(|e| e.data.as_str()).collect::<Vec<_>>()[1..],
        ["1", "2", r#"{"reason":"eof"}"#]
    );
    assert_eq!(events.last().unwrap().id, None);
    let last = [("Last-Event-ID", "0000000000000002")];
    assert_eq!(EventStream::open(&server, URL, &last).await.status, 204);
    assert_eq!(EventStream::open(&server, URL, &[("Last-Event-ID", "0000000000000001")]).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_replayed_is_named_once_before_going_on() {
    let server = server_with(&["1", "2", "3"]).await;
    server.log.trim(&path(), Offset::new(2).unwrap()).await.unwrap();
    let mut stream = EventStream::open(&server, URL, &[("Last-Event-ID", "0000000000000001")]).await;
    let (hello, gap) = (stream.next().await.unwrap(), stream.next().await.unwrap());
    assert_eq!(hello.offset(), "0000000000000002", "hello's id is where reading goes on");
    assert_eq!((gap.name.as_str(), gap.id), ("tidegate.gap", None));
    let data: serde_json::Value = serde_json::from_str(&gap.data).unwrap();
    let expected =
        serde_json::json!({"from": "0000000000000001", "to": "0000000000000002", "reason": "trimmed"});
    assert_eq!(data, expected);
    assert_eq!(stream.next().await.unwrap().data, "3");

    let mut ahead = EventStream::open(&server, URL, &[("Last-Event-ID", "0000000000000009")]).await;
    assert_eq!(ahead.next().await.unwrap().offset(), "0000000000000003");
    assert_eq!(ahead.next().await.unwrap().json()["reason"], "cursor-ahead");
    append(&server, "4").await;
    assert_eq!(ahead.next().await.unwrap().data, "4");
}

#[tokio::test]
async fn pings_come_whatever_the_traffic_and_never_move_the_readers_position() {
    let server = Server::with(|setup| {
        open_public(setup);
        setup.config.ping_seconds = 1;
    })
    .await;
    fill(&server, &[]).await;
    let mut stream = EventStream::open(&server, URL, &[]).await;
    let mut pings = 0;
    while pings < 2 {
        append(&server, "1").await;
        let event = stream.next().await.unwrap();
        if event.name == "ping" {
            pings += 1;
            assert_eq!(event.id, None);
            assert!(event.json()["timestamp"].as_f64().unwrap() > 1.7e9);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn every_intended_end_says_why() {
    let server = server_with(&[]).await;
    for reason in [EndReason::Revoked, EndReason::Replaced, EndReason::Age] {
        let mut stream = EventStream::open(&server, URL, &[]).await;
        stream.next().await.unwrap();
        let live = server.gate.connections(&ConnectionFilter::default());
        assert_eq!(
            live.iter().map(|c| (c.transport, c.stream.as_str())).collect::<Vec<_>>(),
            [("sse", "public/a")]
        );
        assert!(server.gate.disconnect(live[0].id, reason));
        let end = stream.rest().await.pop().unwrap();
        assert_eq!(
            (end.name.as_str(), end.json()["reason"].as_str()),
            ("tidegate.end", Some(reason.as_str()))
        );
    }
    let mut deleted = EventStream::open(&server, URL, &[]).await;
    deleted.next().await.unwrap();
    server.log.delete(&path()).await.unwrap();
    assert_eq!(deleted.rest().await.pop().unwrap().json()["reason"], "deleted");
}

#[tokio::test]
async fn a_drain_ends_every_tail_with_a_retry_of_its_own() {
    let server = server_with(&[]).await;
    let mut stream = EventStream::open(&server, URL, &[]).await;
    stream.next().await.unwrap();
    let poll = get("/v1/stream/public/a?offset=now&live=long-poll", &[]);
    let (_, end, poll) = tokio::join!(
        async {
            // Both are waiting before the drain begins.
            while server.gate.connections(&ConnectionFilter::default()).len() < 2 {
                tokio::task::yield_now().await;
            }
            server.gate.drain();
        },
        stream.rest(),
        server.send(&poll),
    );
    let end = end.last().unwrap();
    assert_eq!(end.json()["reason"], "drain");
    assert!((1_000..=4_000).contains(&end.retry.unwrap()));
    assert_eq!(poll.status, 204);
    let mut turned_away = EventStream::open(&server, URL, &[]).await;
    assert_eq!(turned_away.status, 200, "anything else would stop a browser for good");
    assert_eq!(turned_away.next().await.unwrap().json()["reason"], "drain");
}

#[tokio::test]
async fn a_cap_refuses_and_an_overloaded_node_asks_to_come_back_later() {
    let server = Server::with(|setup| {
        open_public(setup);
        setup.limits.streams_per_address = 1;
    })
    .await;
    fill(&server, &[]).await;
    let _held = EventStream::open(&server, URL, &[]).await;
    let refused = server.send(&get(URL, &[])).await;
    assert_eq!((refused.status, refused.code()), (429, "connection-limit".to_owned()));
    assert!(refused.header("retry-after").is_some());

    let busy = Server::with(|setup| {
        open_public(setup);
        setup.limits.streams_per_node = 1;
    })
    .await;
    fill(&busy, &[]).await;
    let _held = EventStream::open(&busy, URL, &[]).await;
    let turned_away = EventStream::open(&busy, URL, &[]).await;
    assert_eq!(turned_away.status, 200);
    let events = turned_away.rest().await;
    assert_eq!((events.len(), events[0].name.as_str()), (1, "tidegate.end"));
    assert_eq!(events[0].json()["reason"], "limit");
    assert!(events[0].retry.unwrap() >= 15_000);
}

#[tokio::test]
async fn open_and_close_are_audited_on_every_transport() {
    let server = server_with(&["1", "2"]).await;
    let mut events = EventStream::open(&server, URL, &[]).await;
    while events.next().await.unwrap().data != "2" {}
    drop(events);
    drop(EventStream::open(&server, "/v1/stream/public/a?offset=-1&live=sse", &[]).await);
    server.send(&get("/v1/stream/public/a?offset=-1&live=long-poll", &[])).await;
    let closed = audited(&server, "stream-close", 3).await;
    assert_eq!(audited(&server, "stream-open", 3).await.len(), 3);
    let of = |transport: &str| closed.iter().find(|row| row["transport"] == transport).unwrap();
    assert_eq!(of("sse")["last"], "0000000000000002");
    assert_eq!(of("sse")["first"], "0000000000000000");
    assert_eq!(of("sse")["reason"], "client");
    assert!(of("sse")["duration_ms"].is_u64());
    assert_eq!(of("long-poll")["last"], "0000000000000002");
    assert!(of("live-sse")["reason"].is_string());
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_closed_as_slow_and_loses_nothing() {
    let server = Server::with(|setup| {
        open_public(setup);
        setup.limits.tail_stall_ms = 1_000;
    })
    .await;
    fill(&server, &[]).await;
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    stuck.write_all(get(URL, &[]).as_bytes()).await.unwrap();
    let large = format!("\"{}\"", "x".repeat(200_000));
    for _ in 0..60 {
        append(&server, &large).await;
    }
    let closed = audited(&server, "stream-close", 1).await;
    assert_eq!(closed[0]["reason"], "slow");
    let mut again = EventStream::open(&server, &format!("{URL}&after=0000000000000059"), &[]).await;
    again.next().await.unwrap();
    assert_eq!(again.next().await.unwrap().offset(), "0000000000000060");
}

#[tokio::test]
async fn a_stream_as_old_as_it_may_be_ends_and_goes_on_in_the_next() {
    let server = Server::with(|setup| {
        open_public(setup);
        setup.limits.tail_age_seconds = 3_600;
    })
    .await;
    fill(&server, &["1"]).await;
    let mut stream = EventStream::open(&server, URL, &[]).await;
    stream.next().await.unwrap();
    let now = tidegate_types::Clock::now(&tidegate_types::SystemClock);
    server.gate.step(now.plus(Duration::from_secs(3_590))).await;
    append(&server, "2").await;
    stream.next().await.unwrap();
    let last = stream.next().await.unwrap();
    assert_eq!(last.data, "2");
    server.gate.step(now.plus(Duration::from_secs(3_700))).await;
    let end = stream.next().await.unwrap();
    assert_eq!((end.name.as_str(), &end.json()["reason"]), ("tidegate.end", &serde_json::json!("age")));
    append(&server, "3").await;
    let mut next = EventStream::open(&server, &format!("{URL}&after={}", last.offset()), &[]).await;
    next.next().await.unwrap();
    assert_eq!(next.next().await.unwrap().data, "3");
}

#[tokio::test]
async fn records_that_are_not_json_go_out_as_text_or_base64() {
    let server = Server::with(open_public).await;
    ask(&server, "PUT /v1/stream/public/text", &[("Content-Type", "text/plain")], "a\r\nb").await;
    ask(&server, "PUT /v1/stream/public/bytes", &[("Content-Type", "image/png")], "Hello").await;
    for (name, encoded, data) in [("text", false, "a\nb"), ("bytes", true, "SGVsbG8=")] {
        let mut stream =
            EventStream::open(&server, &format!("/v1/stream/public/{name}?live=events"), &[]).await;
        assert_eq!(stream.head.contains("stream-sse-data-encoding: base64"), encoded);
        stream.next().await.unwrap();
        assert_eq!(stream.next().await.unwrap().data, data);
    }
}

/// The details of the newest audit rows of a kind, once there are enough.
async fn audited(server: &Server, kind: &str, count: usize) -> Vec<serde_json::Value> {
    let page = AuditPage { cursor: None, limit: 100, order: AuditOrder::NewestFirst };
    let poll = async {
        loop {
            server.gate.step(tidegate_types::Clock::now(&tidegate_types::SystemClock)).await;
            let rows = server.gate.list_audit(AuditFilter::default(), page).await.unwrap();
            let found: Vec<_> =
                rows.into_iter().filter(|row| row.kind == kind).map(|row| row.detail).collect();
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.expect("the audit never got there")
}
