//! Webhooks of the real server: what was due before a kill is delivered after it, a revoked key
//! ends what it subscribed to, and nothing is called that may not be.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tidegate::config::{AccessRule, Who};
use tidegate_gate::{Actor, ClientFacts};
use tidegate_testkit::{Api, TestProcess, TestServer, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Takes calls on loopback and answers each with the same body.
struct Receiver {
    calls: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    fn on(listener: TcpListener, answer: &'static str) -> Self {
        let calls: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if let Some(body) = take(socket, answer).await {
                    seen.lock().unwrap().push(body);
                }
            }
        });
        Self { calls, task }
    }

    fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request with a `Content-Length`.
async fn take(mut socket: TcpStream, answer: &str) -> Option<Value> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        socket.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            break (end + 4, length.trim().parse::<usize>().ok()?);
        }
    };
    while bytes.len() < head + length {
        socket.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
    }
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    socket.write_all(response.as_bytes()).await.ok()?;
    serde_json::from_slice(bytes.get(head..)?).ok()
}

const CONFIG: &str = r#"
[[access]]
path = "events/**"
read = "anyone"
write = "anyone"
subscribe = "anyone"

[webhooks]
enabled = true
allow_loopback = true
"#;

const SUBSCRIPTION: &str = "/v1/stream/__ds/subscriptions/hook";

fn webhook(port: u16) -> Value {
    json!({
        "type": "webhook", "pattern": "events/*", "webhook": { "url": format!("http://127.0.0.1:{port}/wake") },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wake_that_was_due_before_a_kill_is_delivered_after_it() {
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let mut server = TestProcess::start_with(CONFIG, &[]).await.unwrap();
    let api = Api::new(server.url(), None).unwrap();
    assert_eq!(api.put(SUBSCRIPTION, &webhook(address.port())).await.unwrap().status, 201);
    assert_eq!(api.put("/v1/stream/events/a", &json!({"n": 1})).await.unwrap().status, 201);
    eventually("the first call to fail", || async {
        (api.get(SUBSCRIPTION).await.unwrap().member("status") == "failed").then_some(())
    })
    .await;
    let before = api.get("/v1/stream/__ds/jwks.json").await.unwrap().text;
    server.kill().await.unwrap();
    let receiver = Receiver::on(TcpListener::bind(address).await.unwrap(), r#"{"done":true}"#);
    server.restart().await.unwrap();
    let call = eventually("the call after the kill", || async { receiver.calls().first().cloned() }).await;
    assert_eq!((&call["generation"], &call["streams"][0]["path"]), (&json!(1), &json!("events/a")));
    assert_eq!(call["callback_url"], format!("{}{SUBSCRIPTION}/callback", server.url()));
    eventually("what was done to be acknowledged", || async {
        let shown = api.get(SUBSCRIPTION).await.unwrap().json();
        (shown["streams"][0]["acked_offset"] == "0000000000000001" && shown["status"] == "active")
            .then_some(())
    })
    .await;
    assert_eq!(api.get("/v1/stream/__ds/jwks.json").await.unwrap().text, before, "the key outlives a kill");
    assert!(!server.log().contains("tgw_"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_ends_the_deliveries_of_what_it_subscribed_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let receiver = Receiver::on(listener, r#"{"done":true}"#);
    let server = TestServer::start_with(|config| {
        config.webhooks.enabled = true;
        config.webhooks.allow_loopback = true;
        config.access = vec![AccessRule {
            path: "events/**".parse().unwrap(),
            read: Who::Nobody,
            write: Who::Anyone,
            subscribe: Who::Nobody,
        }];
    });
    let server = server.await.unwrap();
    let key = server.key(&["streams:read:events/**"]).await.unwrap();
    let anonymous = server.anonymous().unwrap();
    assert_eq!(anonymous.put(SUBSCRIPTION, &webhook(port)).await.unwrap().status, 401);
    assert_eq!(key.api.put(SUBSCRIPTION, &webhook(port)).await.unwrap().status, 201);
    assert_eq!(anonymous.put("/v1/stream/events/a", &json!([1])).await.unwrap().status, 201);
    eventually("the first call", || async { (receiver.calls().len() == 1).then_some(()) }).await;
    server.gate().revoke_key(key.id, Actor::Operator, &ClientFacts::local()).await.unwrap();
    let more = anonymous.post("/v1/stream/events/a", &json!([2])).await.unwrap();
    assert_eq!(more.status, 204);
    // A second subscription, of somebody who may, is told: so the first one would have been too.
    let other = server.key(&["streams:read:events/**"]).await.unwrap();
    let witness = "/v1/stream/__ds/subscriptions/witness";
    assert_eq!(other.api.put(witness, &webhook(port)).await.unwrap().status, 201);
    assert_eq!(anonymous.post("/v1/stream/events/a", &json!([3])).await.unwrap().status, 204);
    eventually("the witness to be told", || async {
        receiver.calls().iter().any(|call| call["subscription_id"] == "witness").then_some(())
    })
    .await;
    let told = receiver.calls().iter().filter(|call| call["subscription_id"] == "hook").count();
    assert_eq!(told, 1, "{:?}", receiver.calls());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_off_unless_they_are_switched_on_and_loopback_is_off_beside() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for (enabled, code) in [(false, "INVALID_REQUEST"), (true, "WEBHOOK_URL_REJECTED")] {
        let server = TestServer::start_with(|config| config.webhooks.enabled = enabled).await.unwrap();
        let key = server.key(&["streams:read:events/**"]).await.unwrap();
        let refused = key.api.put(SUBSCRIPTION, &webhook(port)).await.unwrap();
        assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (400, Some(code)));
        server.stop().await.unwrap();
    }
    let silent = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
    assert!(silent.is_err(), "nobody connected");
}
