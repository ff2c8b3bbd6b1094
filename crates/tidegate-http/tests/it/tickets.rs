//! Tickets on streams: spent once, resumed by their tags, never spent by a refusal, ended by revocation.

use std::sync::Arc;
use std::time::Duration;

use tidegate_gate::{
    Actor, ClientFacts, ConnectionFilter, CreatedKey, Issued, NewKey, Principal, Register, SessionKind,
    SignedIn,
};
use tidegate_log::{Append, NewStream};
use tidegate_types::StreamPath;
use tokio::task::JoinSet;

use crate::events::{EventStream, ask};
use crate::fixture::{PATIENCE, Server, get};

fn path() -> StreamPath {
    "runs/1".parse().unwrap()
}

async fn server() -> Server {
    let server = Server::start().await;
    make(&server, &path()).await;
    server
}

async fn make(server: &Server, path: &StreamPath) {
    let records = vec!["1".into(), "2".into()];
    server.log.create(path, NewStream { records, ..NewStream::json() }).await.unwrap();
}

async fn key(server: &Server, scopes: &[&str]) -> CreatedKey {
    let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    let new = NewKey { name: "k".to_owned(), scopes, expires_at: None, owner: None };
    server.gate.create_key(new, &ClientFacts::local()).await.unwrap()
}

fn bearer(key: &CreatedKey) -> String {
    format!("Bearer {}", key.secret.reveal())
}

async fn mint(server: &Server, authorization: &str, path: &StreamPath) -> String {
    let request = format!("POST /v1/stream/{path}?ticket");
    let answer = ask(server, &request, &[("Authorization", authorization)], "").await;
    assert_eq!(answer.status, 200, "{}", answer.raw);
    let answer: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer["expires_in"], 60);
    assert_eq!(answer["stream_url"], format!("/v1/stream/{path}"));
    answer["sse_token"].as_str().unwrap().to_owned()
}

fn url(ticket: &str) -> String {
    format!("/v1/stream/runs/1?ticket={ticket}")
}

#[tokio::test]
async fn a_ticket_opens_once_and_the_browsers_own_reconnect_is_let_in_by_its_tag() {
    let server = server().await;
    let key = key(&server, &["streams:read:runs/**"]).await;
    let ticket = mint(&server, &bearer(&key), &path()).await;
    let mut first = EventStream::open(&server, &url(&ticket), &[]).await;
    assert_eq!(first.status, 200, "{}", first.head);
    let hello = first.next().await.unwrap();
    assert_eq!(hello.name, "tidegate.hello");
    let tagged = first.next().await.unwrap();
    assert_eq!((tagged.data.as_str(), tagged.offset()), ("1", "0000000000000001"));
    let (id, hello_id) = (tagged.id.unwrap(), hello.id.unwrap());
    assert_eq!(id.split('.').nth(1), hello_id.split('.').nth(1), "one tag for one connection");

    let replay = server.send(&get(&url(&ticket), &[])).await;
    assert_eq!((replay.status, replay.code()), (401, "ticket-invalid".to_owned()));
    let bare = server.send(&get(&url(&ticket), &[("Last-Event-ID", "0000000000000001")])).await;
    assert_eq!(bare.status, 401);

    let mut second = EventStream::open(&server, &url(&ticket), &[("Last-Event-ID", &id)]).await;
    assert_eq!(second.status, 200, "{}", second.head);
    let hello = second.next().await.unwrap();
    assert_eq!(hello.offset(), "0000000000000001");
    assert_ne!(hello.id.unwrap().split('.').nth(1), id.split('.').nth(1), "a new connection has a new tag");
    assert_eq!(second.next().await.unwrap().data, "2");
    let end = first.rest().await.pop().unwrap();
    assert_eq!((end.name.as_str(), end.json()["reason"].as_str()), ("tidegate.end", Some("replaced")));
}

#[tokio::test]
async fn a_ticket_opens_its_own_stream_in_the_events_framing_and_nothing_else() {
    let server = server().await;
    let other: StreamPath = "runs/2".parse().unwrap();
    make(&server, &other).await;
    let key = key(&server, &["streams:read:runs/**"]).await;
    let ticket = mint(&server, &bearer(&key), &path()).await;
    let wrong = server.send(&get(&format!("/v1/stream/{other}?ticket={ticket}"), &[])).await;
    let absent = server.send(&get(&format!("/v1/stream/runs/3?ticket={ticket}"), &[])).await;
    assert_eq!((wrong.status, absent.status), (404, 404));
    for live in ["sse&offset=-1", "long-poll&offset=-1"] {
        let answer = server.send(&get(&format!("{}&live={live}", url(&ticket)), &[])).await;
        assert_eq!((answer.status, answer.code()), (401, "ticket-invalid".to_owned()), "{live}");
    }
    let authorization = format!("Bearer {ticket}");
    let append = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    assert_eq!(ask(&server, "POST /v1/stream/runs/1", &append, "1").await.status, 401);
    assert_eq!(ask(&server, "DELETE /v1/stream/runs/1", &append[..1], "").await.status, 401);
    let opened = EventStream::open(&server, "/v1/stream/runs/1?live=events", &append[..1]).await;
    assert_eq!(opened.status, 200, "none of it spent the ticket, and the header carries it too");
}

#[tokio::test]
async fn a_refused_connect_never_spends_its_ticket() {
    let server = Server::with(|setup| setup.limits.streams_per_address = 1).await;
    make(&server, &path()).await;
    let key = key(&server, &["streams:read:runs/**"]).await;
    let (held, ticket) =
        (mint(&server, &bearer(&key), &path()).await, mint(&server, &bearer(&key), &path()).await);
    let held = EventStream::open(&server, &url(&held), &[]).await;
    assert_eq!(server.send(&get(&url(&ticket), &[])).await.code(), "connection-limit");
    drop(held);
    let poll = async {
        loop {
            let again = EventStream::open(&server, &url(&ticket), &[]).await;
            if again.status == 200 {
                return;
            }
            assert_eq!(again.status, 429);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.expect("the slot was never free");
}

#[tokio::test]
async fn of_many_racers_with_one_ticket_one_is_let_in() {
    let server = Arc::new(server().await);
    let key = key(&server, &["streams:read:runs/**"]).await;
    let ticket = mint(&server, &bearer(&key), &path()).await;
    let mut racers = JoinSet::new();
    for _ in 0..64 {
        let (server, ticket) = (Arc::clone(&server), ticket.clone());
        racers.spawn(async move { EventStream::open(&server, &url(&ticket), &[]).await });
    }
    let streams = racers.join_all().await;
    let count = |status| streams.iter().filter(|stream| stream.status == status).count();
    assert_eq!((count(200), count(401)), (1, 63));
}

#[tokio::test]
async fn revoking_a_key_ends_its_streams_within_a_second() {
    let server = server().await;
    let key = key(&server, &["streams:read:runs/**"]).await;
    let ticket = mint(&server, &bearer(&key), &path()).await;
    let mut by_ticket = EventStream::open(&server, &url(&ticket), &[]).await;
    let headers = [("Authorization", bearer(&key))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut by_header = EventStream::open(&server, "/v1/stream/runs/1?live=events&after=now", &headers).await;
    let hello = by_ticket.next().await.unwrap();
    by_header.next().await.unwrap();
    server.gate.revoke_key(key.key.id, Actor::Operator, &ClientFacts::local()).await.unwrap();
    let ends = async {
        (by_ticket.rest().await.pop().unwrap().json(), by_header.rest().await.pop().unwrap().json())
    };
    let (a, b) = tokio::time::timeout(Duration::from_secs(1), ends).await.expect("not within a second");
    assert_eq!((a["reason"].as_str(), b["reason"].as_str()), (Some("revoked"), Some("revoked")));
    let resume = [("Last-Event-ID", hello.id.as_deref().unwrap())];
    assert_eq!(server.send(&get(&url(&ticket), &resume)).await.status, 401);
}

#[tokio::test]
async fn a_key_does_what_its_scopes_name() {
    let server = server().await;
    let reader = bearer(&key(&server, &["streams:read:runs/**"]).await);
    let writer = bearer(&key(&server, &["streams:write:runs/**"]).await);
    let json = ("Content-Type", "application/json");
    let append = "POST /v1/stream/runs/1";
    let refused = ask(&server, append, &[("Authorization", &reader), json], "3").await;
    assert_eq!((refused.status, refused.code()), (403, "insufficient-scope".to_owned()));
    assert!(refused.header("www-authenticate").unwrap().contains("streams:write:runs/1"));
    assert_eq!(ask(&server, append, &[("Authorization", &writer), json], "3").await.status, 204);
    assert_eq!(
        ask(&server, "GET /v1/stream/runs/1", &[("Authorization", &reader)], "").await.body,
        "[1,2,3]"
    );
    assert_eq!(ask(&server, "GET /v1/stream/runs/1", &[("Authorization", &writer)], "").await.status, 403);
    let own = "PUT /v1/stream/users/00000000-0000-7000-8000-000000000000/events";
    let all = bearer(&key(&server, &["streams:write:**"]).await);
    assert_eq!(ask(&server, own, &[("Authorization", &all), json], "").await.status, 403);
}

#[tokio::test]
async fn a_feed_is_read_by_its_user_and_ends_with_the_session() {
    let server = server().await;
    let (ada, ada_token) = person(&server, "ada@example.org").await;
    let (_, eve_token) = person(&server, "eve@example.org").await;
    let feed = StreamPath::of_feed(ada.user.id);
    server.log.create(&feed, NewStream::json()).await.unwrap();
    let feed_url = format!("/v1/stream/{feed}?live=events");
    let foreign = server.send(&get(&feed_url, &[("Authorization", &eve_token)])).await;
    assert_eq!((foreign.status, foreign.code()), (403, "forbidden".to_owned()));
    let mut own = EventStream::open(&server, &feed_url, &[("Authorization", &ada_token)]).await;
    assert_eq!(own.next().await.unwrap().name, "tidegate.hello");
    server.log.append(&feed, Append::one(r#"{"type":"a.b"}"#)).await.unwrap();
    assert_eq!(own.next().await.unwrap().name, "a.b");
    assert_eq!(server.gate.connections(&ConnectionFilter::default()).len(), 1);
    let token = ada_token.strip_prefix("Bearer ").unwrap();
    let Principal::User(user) = server.gate.authenticate_bearer(token, &ClientFacts::local()).await.unwrap()
    else {
        panic!("not a user")
    };
    server.gate.logout(&user, &ClientFacts::local()).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(1), own.rest()).await.expect("not within a second");
    assert_eq!(end.last().unwrap().json()["reason"], "revoked");
}

async fn person(server: &Server, email: &str) -> (SignedIn, String) {
    let password = "correct horse battery staple".to_owned();
    let new = Register { email: email.to_owned(), password: password.into(), name: None };
    let signed_in = server.gate.register(new, SessionKind::Token, &ClientFacts::local()).await.unwrap();
    let Issued::Tokens(tokens) = &signed_in.issued else { panic!("no tokens") };
    use tidegate_gate::ExposeSecret as _;
    let header = format!("Bearer {}", tokens.access_token.expose_secret());
    (signed_in, header)
}
