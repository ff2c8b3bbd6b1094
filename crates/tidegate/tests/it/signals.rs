//! SIGTERM drains, and nothing that was acknowledged is lost.

use std::time::Duration;

use tidegate_testkit::{Api, TestProcess};

#[tokio::test]
async fn sigterm_ends_an_idle_server_at_once_and_well() {
    let mut server = TestProcess::start().await.unwrap();
    let started = tokio::time::Instant::now();
    let status = server.terminate().await.unwrap();
    assert!(status.success(), "{status}: {}", server.log());
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn sigterm_ends_open_streams_with_a_reason_within_ten_seconds() {
    let rules = "[[access]]\npath = \"open/**\"\nread = \"anyone\"\nwrite = \"anyone\"\n";
    let mut server = TestProcess::start_with(rules, &[]).await.unwrap();
    let api = Api::new(server.url(), None).unwrap();
    let made = api.put("/v1/stream/open/a", &serde_json::json!([{"n": 1}])).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    let mut reader = api.sse("/v1/stream/open/a?live=events&after=-1").await.unwrap();
    reader.record().await.unwrap();
    let started = tokio::time::Instant::now();
    let status = server.terminate().await.unwrap();
    assert!(status.success(), "{status}: {}", server.log());
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let end = reader.named("tidegate.end").await.unwrap();
    assert_eq!(end.json()["reason"], "drain");
}

#[tokio::test]
async fn a_killed_server_starts_again_on_its_folder() {
    let mut server = TestProcess::start().await.unwrap();
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    assert!(server.terminate().await.unwrap().success());
}

#[tokio::test]
async fn nobody_else_may_read_what_the_server_writes() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = TestProcess::start().await.unwrap();
    for name in ["tidegate.db", "tidegate.db-wal", "tidegate.db.lock"] {
        let mode = std::fs::metadata(server.data().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name} is {mode:o}");
    }
}

#[tokio::test]
async fn a_server_that_was_asked_to_stop_says_so_before_it_refuses_connections() {
    let mut server = TestProcess::start().await.unwrap();
    let api = Api::new(server.url(), None).unwrap();
    assert_eq!(api.get("/readyz").await.unwrap().status, 200);
    let url = server.url();
    let probes = async move {
        let mut seen = Vec::new();
        // A connection of its own for each probe, as a load balancer makes them.
        while let Ok(answer) = Api::new(url.clone(), None).unwrap().get("/readyz").await {
            seen.push(answer.status);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        seen
    };
    let (seen, status) = tokio::join!(probes, server.terminate());
    assert!(status.unwrap().success());
    assert!(seen.iter().filter(|status| **status == 503).count() >= 3, "{seen:?}");
}
