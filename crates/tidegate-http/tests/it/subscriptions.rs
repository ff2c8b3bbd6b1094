//! Who may subscribe to what, and who may touch whose subscription, over HTTP.

use serde_json::{Value, json};
use tidegate_gate::{Actor, NewUser, Role};
use tidegate_http::{AccessRule, Who};
use tidegate_log::NewStream;

use crate::accounts::{PASSWORD, bearer, json_of, post};
use crate::events::ask;
use crate::fixture::{Answer, Server};
use crate::people::{Person, key, user};

const SUBSCRIPTIONS: &str = "/v1/stream/__ds/subscriptions";

fn rule(path: &str, read: Who, subscribe: Who) -> AccessRule {
    AccessRule { path: path.parse().unwrap(), read, write: Who::Nobody, subscribe }
}

async fn server() -> Server {
    Server::with(|setup| {
        setup.config.access = vec![
            AccessRule { write: Who::Anyone, ..rule("open/**", Who::Anyone, Who::Anyone) },
            rule("team/**", Who::User, Who::User),
            rule("svc/**", Who::Service, Who::Service),
            rule("quiet/**", Who::Anyone, Who::Nobody),
            // To subscribe is not to read.
            rule("blind/**", Who::Nobody, Who::Anyone),
        ];
    })
    .await
}

fn nobody() -> Person {
    Person { authorization: String::new(), user: None }
}

async fn call(server: &Server, person: &Person, request: &str, body: &Value) -> Answer {
    if person.authorization.is_empty() {
        return ask(server, request, &[("Content-Type", "application/json")], &body.to_string()).await;
    }
    person.call(server, request, body).await
}

async fn subscribe(server: &Server, person: &Person, id: &str, what: Value) -> Answer {
    let mut body = json!({ "type": "pull-wake", "wake_stream": "open/wake" });
    body.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    call(server, person, &format!("PUT {SUBSCRIPTIONS}/{id}"), &body).await
}

#[tokio::test]
async fn each_principal_subscribes_to_what_it_may_read_and_is_let_subscribe_to() {
    let server = server().await;
    let ada = user(&server, "ada").await;
    let (plain, _) = key(&server, &["events:publish"], None).await;
    let (reader, _) = key(&server, &["streams:read:quiet/**"], None).await;
    let (all, _) = key(&server, &["streams:read:**"], None).await;
    let (adas, _) = key(&server, &["streams:read:generations/**"], ada.user).await;
    let people = [("nobody", nobody()), ("user", ada), ("key", plain), ("reader", reader), ("all", all)];
    let table = [
        // pattern, nobody, a user, a key, a key that reads quiet/**, a key that reads everything
        ("open/*", [201, 201, 201, 201, 201]),
        ("open/**", [201, 201, 201, 201, 201]),
        ("team/*", [401, 201, 201, 201, 201]),
        ("svc/*", [401, 403, 201, 201, 201]),
        ("quiet/*", [401, 403, 403, 201, 201]),
        ("blind/*", [401, 403, 403, 403, 201]),
        ("elsewhere/*", [401, 403, 403, 403, 201]),
        // Wider than what a rule opens, or half in and half out.
        ("**", [401, 403, 403, 403, 201]),
        ("*/a", [401, 403, 403, 403, 201]),
        ("o*/**", [401, 403, 403, 403, 201]),
        // The server's own streams are opened by scopes alone.
        ("generations/*", [401, 403, 403, 403, 201]),
        ("users/*/events", [401, 403, 403, 403, 201]),
    ];
    for (row, (pattern, wanted)) in table.iter().enumerate() {
        for ((name, person), status) in people.iter().zip(wanted) {
            let answer =
                subscribe(&server, person, &format!("{name}-{row}"), json!({ "pattern": pattern })).await;
            assert_eq!(answer.status, *status, "{name} and {pattern}: {}", answer.raw);
        }
    }
    let answer = subscribe(&server, &adas, "adas", json!({ "pattern": "generations/*" })).await;
    assert_eq!(answer.status, 201, "what it may read of it is looked at for each stream: {}", answer.raw);
}

#[tokio::test]
async fn a_named_stream_is_held_to_the_same_rules() {
    let server = server().await;
    let (ada, eve) = (user(&server, "ada").await, user(&server, "eve").await);
    let feed = format!("users/{}/events", ada.user.unwrap());
    let named = |path: &str| json!({ "streams": [path] });
    let table = [("ada", &ada, feed.as_str(), 201), ("eve", &eve, feed.as_str(), 403)];
    for (name, person, path, status) in table {
        let answer = subscribe(&server, person, name, named(path)).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.raw);
    }
    for (n, (path, status)) in [("open/a", 201), ("team/a", 401), ("quiet/a", 401)].into_iter().enumerate() {
        let answer = subscribe(&server, &nobody(), &format!("n{n}"), named(path)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.raw);
    }
    assert_eq!(subscribe(&server, &ada, "team", named("team/a")).await.status, 201);
    let path = "team/a".parse().unwrap();
    server.log.create(&path, NewStream { records: vec!["1".into()], ..NewStream::json() }).await.unwrap();
    let shown = call(&server, &ada, &format!("GET {SUBSCRIPTIONS}/team"), &json!({})).await;
    assert_eq!(json_of(&shown)["streams"][0]["has_pending"], true, "its owner may read it without a session");
    let mixed = json!({ "pattern": "open/*", "streams": ["open/a", "svc/a"] });
    assert_eq!(subscribe(&server, &ada, "mixed", mixed).await.status, 403);
    assert_eq!(subscribe(&server, &ada, "mine", named("open/a")).await.status, 201);
    let more = call(&server, &ada, &format!("POST {SUBSCRIPTIONS}/mine/streams"), &named("svc/a")).await;
    assert_eq!(more.status, 403, "what is added later is looked at too");
    let unwritable = json!({ "pattern": "open/*", "wake_stream": "team/wake" });
    assert_eq!(subscribe(&server, &ada, "unwritable", unwritable).await.status, 403);
}

async fn root(server: &Server) -> Person {
    let (email, password) = ("root@example.test".to_owned(), PASSWORD.to_owned().into());
    let new = NewUser { email, password, role: Role::Admin, name: None };
    server.gate.add_user(new, Actor::Operator).await.unwrap();
    let body = json!({ "email": "root@example.test", "password": PASSWORD });
    let signed_in = json_of(&post(server, "/api/v1/auth/login", &[], &body).await);
    Person { authorization: bearer(&signed_in), user: None }
}

#[tokio::test]
async fn a_subscription_is_seen_and_managed_by_its_owner_and_by_operators() {
    let server = server().await;
    let (ada, eve, root) = (user(&server, "ada").await, user(&server, "eve").await, root(&server).await);
    let (first, _) = key(&server, &["streams:read:quiet/**"], None).await;
    let (second, _) = key(&server, &["streams:read:quiet/*"], None).await;
    let (plain, _) = key(&server, &["events:publish"], None).await;
    assert_eq!(subscribe(&server, &ada, "adas", json!({ "pattern": "team/*" })).await.status, 201);
    assert_eq!(subscribe(&server, &first, "keys", json!({ "pattern": "quiet/*" })).await.status, 201);
    assert_eq!(subscribe(&server, &nobody(), "everybodys", json!({ "pattern": "open/*" })).await.status, 201);
    let table: [(&str, &Person, [u16; 3]); 7] = [
        // ada's, the key's, everybody's
        ("nobody", &nobody(), [401, 401, 200]),
        ("ada", &ada, [200, 404, 200]),
        ("eve", &eve, [404, 404, 200]),
        ("root", &root, [200, 200, 200]),
        ("first", &first, [404, 200, 200]),
        ("second", &second, [404, 200, 200]),
        ("plain", &plain, [404, 404, 200]),
    ];
    for (name, person, wanted) in table {
        for (id, status) in ["adas", "keys", "everybodys"].into_iter().zip(wanted) {
            let shown = call(&server, person, &format!("GET {SUBSCRIPTIONS}/{id}"), &json!({})).await;
            assert_eq!(shown.status, status, "{name} and {id}: {}", shown.raw);
            let body = json!({ "worker": name });
            let claimed = call(&server, person, &format!("POST {SUBSCRIPTIONS}/{id}/claim"), &body).await;
            let nothing_to_do = if status == 200 { 409 } else { status };
            assert_eq!(claimed.status, nothing_to_do, "{name} claims {id}: {}", claimed.raw);
        }
    }
    for (person, id, status) in [(&eve, "adas", 404), (&ada, "adas", 204), (&ada, "adas", 204)] {
        let gone = call(&server, person, &format!("DELETE {SUBSCRIPTIONS}/{id}"), &json!({})).await;
        assert_eq!(gone.status, status);
    }
    let listed = call(&server, &root, &format!("GET {SUBSCRIPTIONS}?limit=1"), &json!({})).await;
    let page = json_of(&listed);
    assert_eq!(page["items"][0]["id"], "keys", "{page}");
    assert!(page["next_cursor"].is_string());
    assert_eq!(
        json_of(&call(&server, &eve, &format!("GET {SUBSCRIPTIONS}"), &json!({})).await)["items"],
        json!([])
    );
}

#[tokio::test]
async fn refusals_speak_the_protocols_words_beside_ours() {
    let server = server().await;
    let report = json!({ "wake_id": "w", "generation": 1 });
    assert_eq!(subscribe(&server, &nobody(), "s", json!({ "pattern": "open/*" })).await.status, 201);
    let table = [
        (format!("GET {SUBSCRIPTIONS}/none"), json!({}), 404, "SUBSCRIPTION_NOT_FOUND"),
        (format!("POST {SUBSCRIPTIONS}/s/ack"), report.clone(), 401, "TOKEN_INVALID"),
        (format!("POST {SUBSCRIPTIONS}/none/ack"), report, 401, "TOKEN_INVALID"),
        (format!("POST {SUBSCRIPTIONS}/s/claim"), json!({}), 400, "INVALID_REQUEST"),
        (format!("POST {SUBSCRIPTIONS}/s/claim"), json!({ "worker": "w" }), 409, "NO_PENDING_WORK"),
        (format!("POST {SUBSCRIPTIONS}/s/streams"), json!({ "streams": [] }), 400, "INVALID_REQUEST"),
        (format!("POST {SUBSCRIPTIONS}/s/streams"), json!({ "streams": ["__ds/x"] }), 400, "INVALID_REQUEST"),
        (format!("PUT {SUBSCRIPTIONS}/s"), json!({ "type": "webhook" }), 400, "INVALID_REQUEST"),
        (format!("PUT {SUBSCRIPTIONS}/s"), json!([]), 400, "INVALID_REQUEST"),
        (
            format!("PUT {SUBSCRIPTIONS}/s"),
            json!({ "type": "pull-wake", "pattern": "open/**", "wake_stream": "open/wake" }),
            409,
            "SUBSCRIPTION_ALREADY_EXISTS",
        ),
        (
            format!("PUT {SUBSCRIPTIONS}/w"),
            json!({ "type": "webhook", "pattern": "open/*", "webhook": { "url": "https://hooks.example.com/" } }),
            400,
            "INVALID_REQUEST",
        ),
        ("GET /v1/stream/__ds/else".to_owned(), json!({}), 404, "NOT_FOUND"),
    ];
    for (request, body, status, code) in table {
        let answer = call(&server, &nobody(), &request, &body).await;
        assert_eq!(answer.status, status, "{request}: {}", answer.raw);
        let problem = answer.problem();
        assert_eq!(problem["error"]["code"], code, "{request}");
        assert!(problem["error"]["message"].is_string() && problem["code"].is_string());
    }
    let keys = call(&server, &nobody(), "GET /v1/stream/__ds/jwks.json", &json!({})).await;
    assert_eq!(keys.header("content-type"), Some("application/jwk-set+json"));
    assert_eq!(json_of(&keys)["keys"][0]["crv"], "Ed25519");
    assert!(json_of(&keys)["keys"][0].get("d").is_none());
}
