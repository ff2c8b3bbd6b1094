//! Lost workers and further attempts.

use std::time::Duration;

use serde_json::json;
use tidegate_generations::Status;
use tidegate_types::ErrorCode;

use crate::rig::{Rig, id_of, report};

#[tokio::test]
async fn a_lost_worker_gives_the_next_attempt_and_the_last_one_fails() {
    let rig = Rig::start().await;
    let first = rig.claimed("g-1", 2).await;
    rig.generations.progress(&id_of("g-1"), first.lease_token.reveal(), report("s", 0.6)).await.unwrap();
    rig.clock.advance(Duration::from_secs(29));
    rig.step().await;
    assert_eq!(rig.lookup("g-1").await.status, Status::Processing);
    rig.clock.advance(Duration::from_secs(1));
    rig.step().await;
    let back = rig.lookup("g-1").await;
    assert_eq!((back.status, back.attempt, back.progress), (Status::Pending, 2, 0.0));
    assert_eq!((back.stage.as_str(), back.queue_place), ("queued", Some(1)));
    assert!(!rig.records("g-1").await.1, "never a terminal event while attempts are left");

    let second = rig.claim().await.unwrap();
    assert_eq!((second.epoch, second.generation.attempt), (2, 2));
    rig.clock.advance(Duration::from_secs(31));
    rig.step().await;
    let failed = rig.lookup("g-1").await;
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(failed.error.unwrap()["code"], "worker-lost");
    let (records, closed) = rig.records("g-1").await;
    assert!(closed);
    let story: Vec<_> =
        records.iter().map(|r| (r["status"].as_str().unwrap(), r["attempt"].as_u64().unwrap())).collect();
    assert_eq!(
        story,
        [
            ("pending", 1),
            ("processing", 1),
            ("processing", 1),
            ("pending", 2),
            ("processing", 2),
            ("failed", 2)
        ]
    );
}

#[tokio::test]
async fn a_zombie_worker_is_fenced() {
    let rig = Rig::start().await;
    let zombie = rig.claimed("g-1", 2).await;
    let (id, stale) = (id_of("g-1"), zombie.lease_token.reveal());
    rig.clock.advance(Duration::from_secs(30));
    let silent_too_long = rig.generations.progress(&id, stale, report("s", 0.9)).await.unwrap_err();
    assert_eq!(silent_too_long.code(), ErrorCode::Fenced);
    rig.step().await;
    let live = rig.claim().await.unwrap();
    for error in [
        rig.generations.progress(&id, stale, report("s", 0.9)).await.map(|_| ()).unwrap_err(),
        rig.generations.complete(&id, stale, json!("stale")).await.map(|_| ()).unwrap_err(),
        rig.generations.fail(&id, stale, json!("stale"), false).await.map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::Fenced);
    }
    let record = rig.generations.complete(&id, live.lease_token.reveal(), json!("fresh")).await.unwrap();
    assert_eq!(record.result, Some(json!("fresh")));
}

#[tokio::test]
async fn a_retryable_failure_waits_again_while_attempts_are_left() {
    let rig = Rig::start().await;
    let first = rig.claimed("g-1", 2).await;
    let id = id_of("g-1");
    let error = json!({"code": "gpu-busy", "message": "No GPU"});
    let record = rig.generations.fail(&id, first.lease_token.reveal(), error.clone(), true).await.unwrap();
    assert_eq!((record.status, record.attempt, record.queue_place), (Status::Pending, 2, Some(1)));
    assert_eq!(rig.records("g-1").await.0[2]["last_error"], error);
    let second = rig.claim().await.unwrap();
    let record = rig.generations.fail(&id, second.lease_token.reveal(), error.clone(), true).await.unwrap();
    assert_eq!(record.status, Status::Failed);
    assert_eq!(record.error.unwrap(), json!({"code": "worker-lost", "message": "No GPU", "cause": error}));
}

#[tokio::test]
async fn one_that_comes_back_keeps_its_place_before_younger_ones() {
    let rig = Rig::start().await;
    rig.claimed("old", 2).await;
    rig.create("young").await;
    rig.clock.advance(Duration::from_secs(30));
    rig.step().await;
    assert_eq!(rig.claim().await.unwrap().generation.id, id_of("old"));
}

#[tokio::test]
async fn a_restart_gives_silent_workers_their_whole_lease_again() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    // The server was away for longer than the lease, so the worker could not report.
    rig.clock.advance(Duration::from_secs(300));
    let rig = rig.restart().await;
    rig.step().await;
    rig.clock.advance(Duration::from_secs(29));
    rig.generations.progress(&id_of("g-1"), claimed.lease_token.reveal(), report("s", 0.5)).await.unwrap();
    rig.clock.advance(Duration::from_secs(31));
    rig.step().await;
    assert_eq!(rig.lookup("g-1").await.status, Status::Failed);
}
