//! What the settings say is kept is kept, and what is gone is named to whoever still asks for it.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate::config::RetainRule;
use tidegate_testkit::{Api, ManualClock, TestServer, eventually};

const DAY: Duration = Duration::from_secs(86_400);

/// Reads after a cursor until the answer is a refusal.
async fn refusal(api: &Api, path: &str) -> Value {
    eventually("the range to be dropped", || async {
        let answer = api.get(path).await.unwrap();
        (answer.status == 410).then(|| answer.json())
    })
    .await
}

fn range(of: &Value) -> (String, String) {
    let member = |name: &str| of[name].as_str().unwrap_or_default().to_owned();
    (member("from"), member("to"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_forgets_after_its_days_and_names_what_is_missing() {
    let clock = ManualClock::default();
    let server = TestServer::build()
        .config(|config| config.retention.feed_days = 30)
        .clock(clock.clone())
        .start()
        .await
        .unwrap();
    let user = server.user().await.unwrap();
    let backend = server.key(&["events:publish"]).await.unwrap();
    let publish = async |n: u32| {
        let body = json!({"user_id": user.id, "type": "note", "data": {"n": n}});
        let answer = backend.api.post("/api/v1/events", &body).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer
    };
    publish(1).await;
    publish(2).await;
    clock.advance(DAY * 31);
    publish(3).await;
    // The session is as old as the events; the feed belongs to the same person.
    let user = server.sign_in(&user).await.unwrap();
    let refused = refusal(&user.api, "/api/v1/events?after=0000000000000001").await;
    assert_eq!(range(&refused), ("0000000000000001".to_owned(), "0000000000000002".to_owned()));
    let page = user.api.get("/api/v1/events").await.unwrap().json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
    let mut live = user.api.sse("/api/v1/events/stream?after=0000000000000001").await.unwrap();
    let gap = live.named("tidegate.gap").await.unwrap();
    assert_eq!(range(&gap.json()), ("0000000000000001".to_owned(), "0000000000000002".to_owned()));
    assert_eq!(gap.json()["reason"], "trimmed");
    assert_eq!(gap.id, None);
    assert_eq!(live.record().await.unwrap().json()["data"]["n"], 3);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_keeps_the_newest_records_of_its_streams_and_leaves_the_others() {
    let clock = ManualClock::default();
    let rule = RetainRule {
        path: "metrics/**".parse().unwrap(),
        max_age: None,
        max_records: Some(2),
        max_bytes: None,
    };
    let server = TestServer::build().config(|config| config.retain = vec![rule]).clock(clock.clone()).start();
    let server = server.await.unwrap();
    let key = server.key(&["streams:read:**", "streams:write:**"]).await.unwrap().api;
    for path in ["/v1/stream/metrics/a", "/v1/stream/orders/a"] {
        assert_eq!(key.put(path, &json!([1, 2, 3, 4, 5])).await.unwrap().status, 201);
    }
    clock.advance(Duration::from_secs(61));
    let refused = refusal(&key, "/v1/stream/metrics/a?offset=0000000000000001").await;
    assert_eq!(range(&refused), ("0000000000000001".to_owned(), "0000000000000003".to_owned()));
    let kept = key.get("/v1/stream/metrics/a?offset=-1").await.unwrap();
    assert_eq!(kept.json(), json!([4, 5]));
    let whole = key.get("/v1/stream/orders/a?offset=0000000000000001").await.unwrap();
    assert_eq!(whole.json(), json!([2, 3, 4, 5]));
    server.stop().await.unwrap();
}
