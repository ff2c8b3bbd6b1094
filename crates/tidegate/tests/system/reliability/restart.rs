//! A kill and a start in between change nothing for anybody.

use serde_json::json;

use super::people::{LIMITS, Person};
use super::sse::{Source, refused};
use crate::support::Installation;

#[tokio::test]
async fn a_kill_keeps_users_leases_jobs_and_cursors() {
    let installation = Installation::new(LIMITS);
    let server = installation.serve();
    let person = Person::register(&server, "ada@example.test").await;
    let generation = person.generation().await;
    let key = installation.verb(&["key", "create", "--name", "w", "--scope", "generations:work"], "");
    let key = key["secret"].as_str().unwrap().to_owned();
    let url = person.ticket_url(&generation).await;
    let mut source = Source::open(&person.client, &url, None).await.unwrap_or_else(refused);
    let first = source.record().await.unwrap();
    let last_id = source.last_id.clone().unwrap();
    let claim = work(
        &person,
        &key,
        "/api/v1/work/claim",
        None,
        json!({"frameworks": ["external"], "lease_seconds": 60}),
    )
    .await;
    let lease = claim["lease_token"].as_str().unwrap().to_owned();
    server.kill();

    let server = installation.serve();
    let person = person.at(&server);
    assert_eq!(person.read("/api/v1/auth/me").await["email"], "ada@example.test");
    let progress = format!("/api/v1/generations/{generation}/progress");
    work(&person, &key, &progress, Some(&lease), json!({"stage": "half", "progress": 0.5})).await;
    let url = format!(
        "{}{}",
        person.base,
        url.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap()
    );
    let mut source = Source::open(&person.client, &url, Some(&last_id)).await.unwrap_or_else(refused);
    let mut stages = Vec::new();
    while stages.last().is_none_or(|stage| stage != "half") {
        let event = source.record().await.expect("the record after the kill");
        assert_ne!(event.data, first.data, "nothing is sent twice");
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        stages.push(data["stage"].as_str().unwrap_or_default().to_owned());
    }
    let record = person.read(&format!("/api/v1/generations/{generation}")).await;
    assert_eq!((record["status"].as_str(), record["stage"].as_str()), (Some("processing"), Some("half")));
    let replayed = Source::open(&person.client, &url, None).await.err().expect("the spent URL alone");
    assert_eq!(replayed.status(), 401);
}

async fn work(
    person: &Person,
    key: &str,
    path: &str,
    lease: Option<&str>,
    body: serde_json::Value,
) -> serde_json::Value {
    let mut request = person.client.post(format!("{}{path}", person.base)).bearer_auth(key).json(&body);
    if let Some(lease) = lease {
        request = request.header("tidegate-lease", lease);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body = answer.json().await.unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    body
}
