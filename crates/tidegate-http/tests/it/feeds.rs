//! Domain events and feeds: published to one, some or all, read live or by cursor, checked by the catalogue.

use serde_json::{Value, json};
use tidegate_types::{OsEntropy, Timestamp, UserId};

use crate::events::EventStream;
use crate::fixture::{Answer, Server, get};
use crate::people::{Person, body, key, user};

const EVENTS: &str = "/api/v1/events";
const CATALOGUE: &str = "/api/v1/events/catalogue";

async fn publisher(server: &Server) -> Person {
    key(server, &["events:publish"], None).await.0
}

async fn publish(server: &Server, publisher: &Person, event: &Value) -> Answer {
    publisher.call(server, &format!("POST {EVENTS}"), event).await
}

fn to(person: &Person, kind: &str, data: &Value) -> Value {
    json!({ "user_id": person.user.unwrap(), "type": kind, "data": data })
}

#[tokio::test]
async fn a_published_event_reaches_its_users_open_feed_under_its_own_name() {
    let server = Server::start().await;
    let (ada, backend) = (user(&server, "ada").await, publisher(&server).await);
    let own = [("Authorization", ada.authorization.as_str())];
    let mut feed = EventStream::open(&server, &format!("{EVENTS}/stream?types=novel.*"), &own).await;
    assert_eq!(feed.status, 200, "{}", feed.head);
    assert_eq!(feed.next().await.unwrap().name, "tidegate.hello");
    let hidden = publish(&server, &backend, &to(&ada, "task.done", &json!({}))).await;
    assert_eq!(body(&hidden, 202), json!({ "offset": "0000000000000001" }));
    let shown = publish(&server, &backend, &to(&ada, "novel.created", &json!({ "n": 1 }))).await;
    assert_eq!(body(&shown, 202), json!({ "offset": "0000000000000002" }));
    let event = feed.next_but_ping().await.unwrap();
    assert_eq!((event.name.as_str(), event.offset()), ("novel.created", "0000000000000002"));
    let record = event.json();
    assert_eq!((&record["type"], &record["data"]), (&json!("novel.created"), &json!({ "n": 1 })));
    assert!(record["timestamp"].is_f64() || record["timestamp"].is_u64());
    server.stop().await;
}

#[tokio::test]
async fn the_feed_is_read_by_cursor_and_filtered_by_type() {
    let server = Server::start().await;
    let (ada, backend) = (user(&server, "ada").await, publisher(&server).await);
    let empty = body(&ada.get(&server, EVENTS).await, 200);
    assert_eq!((&empty["items"], &empty["up_to_date"]), (&json!([]), &json!(true)));
    for kind in ["a.one", "b.two", "a.three"] {
        assert_eq!(publish(&server, &backend, &to(&ada, kind, &json!(null))).await.status, 202);
    }
    let page = body(&ada.get(&server, &format!("{EVENTS}?types=a.*&limit=2")).await, 200);
    assert_eq!((&page["items"][0]["type"], &page["next"]), (&json!("a.one"), &json!("0000000000000002")));
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let next = page["next"].as_str().unwrap();
    let rest = body(&ada.get(&server, &format!("{EVENTS}?types=a.*&after={next}")).await, 200);
    assert_eq!(
        (&rest["items"][0]["type"], &rest["items"][0]["id"]),
        (&json!("a.three"), &json!("0000000000000003"))
    );
    let path = format!("{EVENTS}?after=now&wait=20&types=a.late");
    let (early, late) = (to(&ada, "a.early", &json!(1)), to(&ada, "a.late", &json!(2)));
    let sent = async {
        publish(&server, &backend, &early).await;
        // The reader may come after the first; it must not be answered by it.
        loop {
            let known = body(&ada.get(&server, &format!("{EVENTS}?after=0000000000000003")).await, 200);
            if !known["items"].as_array().unwrap().is_empty() {
                return publish(&server, &backend, &late).await;
            }
        }
    };
    let (waited, _) = tokio::join!(ada.get(&server, &path), sent);
    assert_eq!(body(&waited, 200)["items"][0]["type"], "a.late");
    assert_eq!(ada.get(&server, &format!("{EVENTS}?types=a,,b")).await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn a_feed_ticket_opens_its_users_feed_once_and_no_other_stream() {
    let server = Server::start().await;
    let (ada, backend) = (user(&server, "ada").await, publisher(&server).await);
    let minted = body(&ada.call(&server, "POST /api/v1/auth/sse-token", &json!({})).await, 200);
    let ticket = minted["sse_token"].as_str().unwrap();
    publish(&server, &backend, &to(&ada, "a.b", &json!("between"))).await;
    let mut feed = EventStream::open(&server, &format!("{EVENTS}/stream?sse_token={ticket}"), &[]).await;
    assert_eq!(feed.status, 200, "{}", feed.head);
    assert_eq!(feed.next().await.unwrap().name, "tidegate.hello");
    assert_eq!(
        feed.next_but_ping().await.unwrap().json()["data"],
        "between",
        "what came after the mint is not missed"
    );
    let again = server.send(&get(&format!("{EVENTS}/stream?sse_token={ticket}"), &[])).await;
    assert_eq!((again.status, again.code()), (401, "ticket-invalid".to_owned()));
    let junk = server.send(&get(&format!("{EVENTS}/stream?sse_token=tgt_junk"), &[])).await;
    assert_eq!((junk.status, junk.code()), (401, "ticket-invalid".to_owned()));
    let new = json!({ "prompt": "p", "framework": "external" });
    let record = body(&ada.call(&server, "POST /api/v1/generations", &new).await, 201);
    let path = format!("/api/v1/generations/{}", record["id"].as_str().unwrap());
    let other = body(&ada.call(&server, &format!("POST {path}/stream-token"), &json!({})).await, 200);
    let url = format!("{EVENTS}/stream?token={}", other["sse_token"].as_str().unwrap());
    assert_eq!(server.send(&get(&url, &[])).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn the_feed_cookie_opens_the_feed_of_its_own_page_and_becomes_the_leases_handle() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let minted = ada.call(&server, "POST /api/v1/auth/sse-token", &json!({})).await;
    assert_eq!(minted.status, 200, "{}", minted.raw);
    let cookie = minted.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let foreign = server.send(&get(&format!("{EVENTS}/stream"), &[("Cookie", &cookie)])).await;
    assert_eq!((foreign.status, foreign.code()), (403, "cross-site-request".to_owned()));
    let own = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let mut feed = EventStream::open(&server, &format!("{EVENTS}/stream"), &own).await;
    assert_eq!(feed.status, 200, "{}", feed.head);
    assert!(feed.head.contains("set-cookie: sse_token=tgh_"), "{}", feed.head);
    assert!(feed.next().await.unwrap().id.unwrap().contains('.'));
    server.stop().await;
}

#[tokio::test]
async fn users_are_named_in_one_way_and_each_gets_the_event() {
    let server = Server::start().await;
    let (ada, eve, backend) =
        (user(&server, "ada").await, user(&server, "eve").await, publisher(&server).await);
    let both = json!({ "user_ids": [ada.user.unwrap(), eve.user.unwrap()], "type": "a.b", "data": 1 });
    let answer = body(&publish(&server, &backend, &both).await, 202);
    assert_eq!(answer["offsets"][1], json!({ "user_id": eve.user.unwrap(), "offset": "0000000000000001" }));
    let all = publish(&server, &backend, &json!({ "broadcast": true, "type": "a.b", "data": 1 })).await;
    let operation = body(&all, 202)["operation_id"].as_str().unwrap().to_owned();
    let shown = body(&backend.get(&server, &format!("{EVENTS}/operations/{operation}")).await, 200);
    assert_eq!((&shown["id"], &shown["type"]), (&json!(operation), &json!("a.b")));
    assert_eq!(all.header("location"), Some(format!("{EVENTS}/operations/{operation}").as_str()));
    for audience in
        [json!({}), json!({ "broadcast": false }), json!({ "user_id": "x" }), json!({ "user_ids": [] })]
    {
        let mut event = json!({ "type": "a.b", "data": 1 });
        event.as_object_mut().unwrap().extend(audience.as_object().unwrap().clone());
        assert_eq!(publish(&server, &backend, &event).await.status, 422, "{audience}");
    }
    server.stop().await;
}

#[tokio::test]
async fn names_that_mean_something_else_are_no_types() {
    let server = Server::start().await;
    let (ada, backend) = (user(&server, "ada").await, publisher(&server).await);
    for kind in ["message", "open", "error", "ping", "tidegate.end", "a b", "", "a\nevent: x"] {
        let refused = publish(&server, &backend, &to(&ada, kind, &json!(1))).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid-event-type".to_owned()), "{kind:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_event_with_an_id_or_an_idempotency_key_is_published_once() {
    let server = Server::start().await;
    let (ada, backend) = (user(&server, "ada").await, publisher(&server).await);
    let mut event = to(&ada, "a.b", &json!(1));
    event["id"] = json!("mine-1");
    let first = body(&publish(&server, &backend, &event).await, 202);
    assert_eq!(body(&publish(&server, &backend, &event).await, 202), first);
    let (request, headers) = (format!("POST {EVENTS}"), [("Idempotency-Key", "k")]);
    let keyed = to(&ada, "a.c", &json!(1));
    let once = backend.call_with(&server, &request, &headers, &keyed).await;
    let twice = backend.call_with(&server, &request, &headers, &keyed).await;
    assert_eq!((once.status, &twice.body), (202, &once.body));
    let feed = body(&ada.get(&server, EVENTS).await, 200);
    assert_eq!(feed["items"].as_array().unwrap().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn a_registered_types_data_must_match_its_schema() {
    let server = Server::start().await;
    let (ada, backend) = (user(&server, "ada").await, publisher(&server).await);
    let schema =
        json!({ "type": "object", "required": ["title"], "properties": { "title": { "type": "string" } } });
    let new = json!({ "type": "novel.created", "schema": schema, "description": "A novel is there." });
    let put = format!("PUT {CATALOGUE}");
    assert_eq!(ada.call(&server, &put, &new).await.status, 403, "users do not change the catalogue");
    assert_eq!(body(&backend.call(&server, &put, &new).await, 200)["schema"], schema);
    let listed = body(&ada.get(&server, CATALOGUE).await, 200);
    let names: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert!(names.contains(&"novel.created") && names.contains(&"generation.completed"), "{names:?}");
    let refused = publish(&server, &backend, &to(&ada, "novel.created", &json!({ "title": 7 }))).await;
    assert_eq!(
        (refused.status, refused.problem()["errors"][0]["pointer"].clone()),
        (422, json!("/data/title"))
    );
    let taken = publish(&server, &backend, &to(&ada, "novel.created", &json!({ "title": "T" }))).await;
    assert_eq!(taken.status, 202);
    let own = backend.call(&server, &put, &json!({ "type": "generation.completed" })).await;
    assert_eq!(own.status, 409);
    server.stop().await;
}

#[tokio::test]
async fn publishing_needs_the_scope_and_a_users_key_reaches_its_user_only() {
    let server = Server::start().await;
    let (ada, eve) = (user(&server, "ada").await, user(&server, "eve").await);
    let (hers, _) = key(&server, &["events:publish"], ada.user).await;
    assert_eq!(publish(&server, &hers, &to(&ada, "a.b", &json!(1))).await.status, 202);
    assert_eq!(publish(&server, &hers, &to(&eve, "a.b", &json!(1))).await.status, 403);
    let all = json!({ "broadcast": true, "type": "a.b", "data": 1 });
    assert_eq!(publish(&server, &hers, &all).await.status, 403);
    let (worker, _) = key(&server, &["generations:work"], None).await;
    let refused = publish(&server, &worker, &to(&ada, "a.b", &json!(1))).await;
    assert_eq!((refused.status, refused.code()), (403, "insufficient-scope".to_owned()));
    let nobody = crate::events::ask(&server, &format!("POST {EVENTS}"), &[], "").await;
    assert_eq!(nobody.status, 401);
    for path in [EVENTS.to_owned(), format!("{EVENTS}/stream"), CATALOGUE.to_owned()] {
        assert_eq!(server.send(&get(&path, &[])).await.status, 401, "{path}");
    }
    assert_eq!(worker.get(&server, &format!("{EVENTS}/stream")).await.status, 403);
    server.stop().await;
}

#[tokio::test]
async fn nobody_reads_anothers_feed() {
    let server = Server::start().await;
    let (ada, eve, backend) =
        (user(&server, "ada").await, user(&server, "eve").await, publisher(&server).await);
    publish(&server, &backend, &to(&ada, "a.b", &json!("hers"))).await;
    let seen = body(&eve.get(&server, EVENTS).await, 200);
    assert_eq!(seen["items"], json!([]));
    let unknown = UserId::generate(Timestamp::from_millis(1), &OsEntropy);
    for id in [ada.user.unwrap(), unknown] {
        assert_eq!(eve.get(&server, &format!("/v1/stream/users/{id}/events")).await.status, 403);
    }
    server.stop().await;
}
