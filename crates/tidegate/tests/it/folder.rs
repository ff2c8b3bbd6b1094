//! `user` and `key` work on the data folder while a server runs, which sees it within a second.

use serde_json::json;
use tidegate_testkit::{Api, TestProcess, within};

use crate::support::finish;

pub(crate) const ONE_SECOND: std::time::Duration = std::time::Duration::from_millis(1_200);

pub(crate) async fn verb(server: &TestProcess, args: &[&str], stdin: &str) -> serde_json::Value {
    let mut all = vec!["--json"];
    all.extend(args);
    let ended = finish(server.verb(&all).unwrap(), stdin).await.expect(0);
    ended.json().into_iter().next().unwrap_or_default()
}

#[tokio::test]
async fn a_key_made_while_serving_works_and_a_revoked_one_does_not() {
    let server = TestProcess::start().await.unwrap();
    let create =
        ["key", "create", "--name", "w", "--scope", "streams:write:in/**", "--scope", "streams:read:in/**"];
    let key = verb(&server, &create, "").await;
    let secret = key["secret"].as_str().unwrap();
    assert!(secret.starts_with("tgk_"));
    let api = Api::new(server.url(), Some(secret.to_owned())).unwrap();
    within(ONE_SECOND, "the key is seen", || async {
        (api.put("/v1/stream/in/a", &json!([1])).await.unwrap().status == 201).then_some(())
    })
    .await;
    assert_eq!(api.put("/v1/stream/out/a", &json!([1])).await.unwrap().status, 403);

    let id = key["id"].as_str().unwrap().to_owned();
    verb(&server, &["key", "revoke", &id], "").await;
    within(ONE_SECOND, "the key is refused", || async {
        (api.get("/v1/stream/in/a").await.unwrap().status == 401).then_some(())
    })
    .await;
    let listed = finish(server.verb(&["--json", "key", "list"]).unwrap(), "").await.expect(0);
    assert!(!listed.stdout.contains(secret) && listed.stdout.contains(&id), "{}", listed.stdout);
}

#[tokio::test]
async fn a_weak_password_and_a_taken_email_are_refused_in_words() {
    let server = TestProcess::start().await.unwrap();
    let add = ["user", "add", "--email", "b@example.org", "--password-stdin"];
    let weak = finish(server.verb(&add).unwrap(), "password\n").await.expect(1);
    assert!(weak.stderr.contains("password"), "{}", weak.stderr);
    finish(server.verb(&add).unwrap(), "difference-engine-2\n").await.expect(0);
    let taken = finish(server.verb(&add).unwrap(), "difference-engine-2\n").await.expect(1);
    assert!(taken.stderr.to_lowercase().contains("already"), "{}", taken.stderr);
    finish(server.verb(&["user", "role", "nobody@example.org", "admin"]).unwrap(), "").await.expect(4);
}
