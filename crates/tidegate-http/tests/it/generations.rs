//! Generations for their owners: created once, listed, polled, streamed, ended.

use serde_json::{Value, json};
use tidegate_gate::{Actor, Role};

use crate::events::EventStream;
use crate::fixture::{Answer, Server, get};
use crate::people::{Person, body, key, user};

const ROOT: &str = "/api/v1/generations";

fn new(prompt: &str) -> Value {
    json!({ "prompt": prompt, "framework": "external" })
}

async fn create(server: &Server, person: &Person, wanted: &Value) -> Value {
    body(&person.call(server, &format!("POST {ROOT}"), wanted).await, 201)
}

async fn cancel(server: &Server, person: &Person, path: &str) -> Answer {
    person.call(server, &format!("POST {path}/cancel"), &json!({})).await
}

fn path_of(record: &Value) -> String {
    format!("{ROOT}/{}", record["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_record_and_its_first_event_are_there_before_the_answer() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let answer = ada.call(&server, &format!("POST {ROOT}"), &new("a tale")).await;
    let record = body(&answer, 201);
    assert_eq!(answer.header("location"), Some(path_of(&record).as_str()));
    assert_eq!(
        (&record["status"], &record["stage"], &record["queue_place"]),
        (&json!("pending"), &json!("init"), &json!(1))
    );
    assert_eq!(record["owner_id"], json!(ada.user.unwrap()));
    assert_eq!(record["offset"], "0000000000000001");
    let events = body(&ada.get(&server, &format!("{}/events", path_of(&record))).await, 200);
    assert_eq!(
        (&events["items"][0]["type"], &events["up_to_date"], &events["closed"]),
        (&json!("message"), &json!(true), &json!(false))
    );
    assert_eq!(events["items"][0]["data"]["status"], "pending");
    assert_eq!(events["next"], record["offset"]);
    server.stop().await;
}

#[tokio::test]
async fn the_same_id_and_body_give_the_record_and_anothers_id_a_conflict() {
    let server = Server::start().await;
    let (ada, eve) = (user(&server, "ada").await, user(&server, "eve").await);
    let request = format!("POST {ROOT}");
    let wanted = json!({ "id": "my-1", "prompt": "p", "framework": "external" });
    assert_eq!(ada.call(&server, &request, &wanted).await.status, 201);
    assert_eq!(ada.call(&server, &request, &wanted).await.status, 200);
    assert_eq!(eve.call(&server, &request, &wanted).await.status, 409);
    let other = json!({ "id": "my-1", "prompt": "q", "framework": "external" });
    assert_eq!(ada.call(&server, &request, &other).await.code(), "id-taken");
    let bad = json!({ "id": "a b", "prompt": "q", "framework": "external" });
    let refused = ada.call(&server, &request, &bad).await;
    assert_eq!((refused.status, refused.problem()["errors"][0]["pointer"].clone()), (422, json!("/id")));
    let unknown = ada.call(&server, &request, &json!({ "prompt": "p", "framework": "no such" })).await;
    assert_eq!((unknown.status, unknown.code()), (422, "unknown-framework".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let (request, headers) = (format!("POST {ROOT}"), [("Idempotency-Key", "k-1")]);
    let first = ada.call_with(&server, &request, &headers, &new("p")).await;
    let again = ada.call_with(&server, &request, &headers, &new("p")).await;
    assert_eq!((first.status, again.status, &again.body), (201, 201, &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    let other = ada.call_with(&server, &request, &headers, &new("q")).await;
    assert_eq!((other.status, other.code()), (409, "idempotency-conflict".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn lists_are_the_callers_own_filtered_and_in_pages() {
    let server = Server::start().await;
    let (ada, eve) = (user(&server, "ada").await, user(&server, "eve").await);
    for n in 0..3 {
        create(&server, &ada, &new(&format!("p{n}"))).await;
    }
    create(&server, &eve, &new("not hers")).await;
    let first = body(&ada.get(&server, &format!("{ROOT}?limit=2&status=pending")).await, 200);
    assert_eq!((first["items"].as_array().unwrap().len(), &first["items"][0]["prompt"]), (2, &json!("p2")));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = body(&ada.get(&server, &format!("{ROOT}?limit=2&cursor={cursor}")).await, 200);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    let none = body(&ada.get(&server, &format!("{ROOT}?framework=master_mode")).await, 200);
    assert!(none["items"].as_array().unwrap().is_empty());
    assert_eq!(ada.get(&server, &format!("{ROOT}?status=done")).await.status, 422);
    assert_eq!(ada.get(&server, &format!("{ROOT}?cursor=x")).await.code(), "invalid-cursor");
    server.stop().await;
}

#[tokio::test]
async fn others_get_403_nobody_401_and_what_is_not_there_404() {
    let server = Server::start().await;
    let (ada, eve) = (user(&server, "ada").await, user(&server, "eve").await);
    let path = path_of(&create(&server, &ada, &new("p")).await);
    for rest in ["", "/events", "/stream"] {
        assert_eq!(eve.get(&server, &format!("{path}{rest}")).await.status, 403, "{rest}");
        assert_eq!(server.send(&get(&format!("{path}{rest}"), &[])).await.status, 401, "{rest}");
        assert_eq!(eve.get(&server, &format!("{ROOT}/none{rest}")).await.status, 404, "{rest}");
    }
    for call in ["POST /cancel", "POST /retry", "POST /stream-token", "DELETE "] {
        let (method, rest) = call.split_once(' ').unwrap();
        let status = |root: String| {
            let eve = &eve;
            let server = &server;
            async move { eve.call(server, &format!("{method} {root}{rest}"), &json!({})).await.status }
        };
        assert_eq!(status(path.clone()).await, 403, "{call}");
        assert_eq!(status(format!("{ROOT}/none")).await, 404, "{call}");
    }
    assert_eq!(ada.get(&server, &path).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn polling_answers_304_until_something_changes() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let path = path_of(&create(&server, &ada, &new("p")).await);
    let first = ada.get(&server, &path).await;
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let known = [("Authorization", ada.authorization.as_str()), ("If-None-Match", etag.as_str())];
    let same = server.send(&get(&path, &known)).await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    let wait_path = format!("{path}?wait=20");
    let request = get(&wait_path, &known);
    let (waited, cancelled) = tokio::join!(server.send(&request), cancel(&server, &ada, &path));
    assert_eq!(cancelled.status, 202);
    assert_eq!(body(&waited, 200)["status"], "cancelled");
    let bad = ada.get(&server, &format!("{path}?wait=31")).await;
    assert_eq!((bad.status, bad.code()), (422, "validation-failed".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_opens_the_stream_from_its_beginning_and_a_seen_end_answers_204() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let record = create(&server, &ada, &new("p")).await;
    let path = path_of(&record);
    let minted = body(&ada.call(&server, &format!("POST {path}/stream-token"), &json!({})).await, 200);
    assert_eq!((&minted["expires_in"], &minted["generation_id"]), (&json!(60), &record["id"]));
    assert_eq!(minted["stream_url"], format!("{path}/stream"));
    let url = format!("{path}/stream?token={}", minted["sse_token"].as_str().unwrap());
    let looked = server.send(&get(&url, &[]).replacen("GET", "HEAD", 1)).await;
    assert_eq!(looked.status, 405, "a look does not spend the ticket");
    let mut stream = EventStream::open(&server, &url, &[]).await;
    assert_eq!(stream.status, 200, "{}", stream.head);
    assert_eq!(stream.next().await.unwrap().name, "tidegate.hello");
    let first = stream.next().await.unwrap();
    assert_eq!((first.name.as_str(), first.json()["status"].clone()), ("", json!("pending")));
    assert_eq!(cancel(&server, &ada, &path).await.status, 202);
    let mut last = None;
    for event in stream.rest().await {
        if event.name.is_empty() {
            last = Some(event.json()["status"].clone());
        }
    }
    assert_eq!(last, Some(json!("cancelled")));
    assert_eq!(server.send(&get(&url, &[])).await.status, 401);
    let seen = [("Authorization", ada.authorization.as_str()), ("Last-Event-ID", "0000000000000002")];
    assert_eq!(server.send(&get(&format!("{path}/stream"), &seen)).await.status, 204);
    server.stop().await;
}

#[tokio::test]
async fn a_finished_one_is_repeated_as_another_and_a_deleted_one_is_gone() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let record = create(&server, &ada, &new("p")).await;
    let path = path_of(&record);
    let retry = format!("POST {path}/retry");
    assert_eq!(ada.call(&server, &retry, &json!({})).await.status, 409);
    assert_eq!(cancel(&server, &ada, &path).await.status, 202);
    let again = body(&ada.call(&server, &retry, &json!({})).await, 201);
    assert_eq!(
        (&again["retry_of"], &again["status"], &again["prompt"]),
        (&record["id"], &json!("pending"), &json!("p"))
    );
    let mut stream = EventStream::open(
        &server,
        &format!("{}/stream", path_of(&again)),
        &[("Authorization", &ada.authorization)],
    )
    .await;
    assert_eq!(stream.next().await.unwrap().name, "tidegate.hello");
    assert_eq!(ada.call(&server, &format!("DELETE {}", path_of(&again)), &json!({})).await.status, 204);
    let end = stream.rest().await.pop().unwrap();
    assert_eq!((end.name.as_str(), end.json()["reason"].clone()), ("tidegate.end", json!("deleted")));
    assert_eq!(ada.get(&server, &path_of(&again)).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn events_are_waited_for_by_cursor() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let path = path_of(&create(&server, &ada, &new("p")).await);
    let events = format!("{path}/events?after=0000000000000001&wait=20");
    let (waited, _) = tokio::join!(ada.get(&server, &events), cancel(&server, &ada, &path));
    let page = body(&waited, 200);
    assert_eq!((&page["items"][0]["data"]["status"], &page["closed"]), (&json!("cancelled"), &json!(true)));
    let ahead = ada.get(&server, &format!("{path}/events?after=0000000000000009")).await;
    assert_eq!((ahead.status, ahead.code()), (409, "cursor-ahead".to_owned()));
    assert_eq!(ada.get(&server, &format!("{path}/events?after=nine")).await.code(), "invalid-cursor");
    server.stop().await;
}

#[tokio::test]
async fn a_users_worker_key_creates_in_its_users_name() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    let (hers, _) = key(&server, &["generations:work"], ada.user).await;
    let record = create(&server, &hers, &new("p")).await;
    assert_eq!(record["owner_id"], json!(ada.user.unwrap()));
    assert_eq!(ada.get(&server, &path_of(&record)).await.status, 200);
    let mint = format!("POST {}/stream-token", path_of(&record));
    assert_eq!(hers.call(&server, &mint, &json!({})).await.status, 200, "who runs a job may follow it");
    let (nobodys, _) = key(&server, &["generations:work"], None).await;
    assert_eq!(nobodys.call(&server, &format!("POST {ROOT}"), &new("p")).await.status, 403);
    server.stop().await;
}

#[tokio::test]
async fn an_admin_reads_anothers_record_but_does_not_end_it() {
    let server = Server::start().await;
    let (ada, root) = (user(&server, "ada").await, user(&server, "root").await);
    server.gate.set_role(root.user.unwrap(), Role::Admin, Actor::Server).await.unwrap();
    let path = path_of(&create(&server, &ada, &new("p")).await);
    assert_eq!(root.get(&server, &path).await.status, 200);
    assert_eq!(cancel(&server, &root, &path).await.status, 403);
    server.stop().await;
}

#[tokio::test]
async fn a_slash_after_the_collection_is_no_other_path() {
    let server = Server::start().await;
    let ada = user(&server, "ada").await;
    assert_eq!(ada.call(&server, &format!("POST {ROOT}/"), &new("p")).await.status, 201);
    let page = body(&ada.get(&server, &format!("{ROOT}/")).await, 200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    server.stop().await;
}
