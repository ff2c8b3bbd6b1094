//! Cancelling.

use std::time::Duration;

use serde_json::json;
use tidegate_generations::{Progress, Status};
use tidegate_types::ErrorCode;

use crate::rig::{Rig, id_of, report};

fn stop() -> Progress {
    Progress { status: Some("cancelled".to_owned()), progress: None, ..report("stopping", 0.0) }
}

#[tokio::test]
async fn one_that_waits_is_cancelled_at_once() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    let record = rig.generations.cancel(&id_of("g-1")).await.unwrap();
    assert_eq!((record.status, record.finished_at), (Status::Cancelled, Some(rig.now())));
    assert!(rig.records("g-1").await.1, "the stream is closed");
    assert!(rig.claim().await.is_none());
}

#[tokio::test]
async fn the_worker_of_one_that_is_under_way_is_told_and_ends_it() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 3).await;
    let (id, lease) = (id_of("g-1"), claimed.lease_token.reveal());
    let early = rig.generations.progress(&id, lease, stop()).await.unwrap_err();
    assert_eq!(early.code(), ErrorCode::InvalidTransition);
    assert_eq!(rig.generations.cancel(&id).await.unwrap().status, Status::Cancelling);
    let told = rig.generations.progress(&id, lease, report("s", 0.4)).await.unwrap();
    assert!(told.cancel_requested);
    assert_eq!(rig.lookup("g-1").await.status, Status::Cancelling);
    let ended = rig.generations.progress(&id, lease, stop()).await.unwrap();
    let record = rig.lookup("g-1").await;
    assert_eq!((record.status, record.progress, record.offset), (Status::Cancelled, 0.4, ended.offset));
    // The answer may have been lost: the same again is answered the same.
    assert_eq!(rig.generations.progress(&id, lease, stop()).await.unwrap(), ended);
    assert!(rig.records("g-1").await.1, "the stream is closed");
}

#[tokio::test]
async fn completing_in_the_meantime_wins() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    rig.generations.cancel(&id_of("g-1")).await.unwrap();
    let lease = claimed.lease_token.reveal();
    let record = rig.generations.complete(&id_of("g-1"), lease, json!({})).await.unwrap();
    assert_eq!(record.status, Status::Completed);
}

#[tokio::test]
async fn a_lost_worker_or_a_retryable_failure_ends_a_cancelling_one_as_cancelled() {
    let rig = Rig::start().await;
    rig.claimed("g-1", 3).await;
    rig.generations.cancel(&id_of("g-1")).await.unwrap();
    rig.clock.advance(Duration::from_secs(30));
    rig.step().await;
    assert_eq!(rig.lookup("g-1").await.status, Status::Cancelled);

    let claimed = rig.claimed("g-2", 3).await;
    rig.generations.cancel(&id_of("g-2")).await.unwrap();
    let lease = claimed.lease_token.reveal();
    let record = rig.generations.fail(&id_of("g-2"), lease, json!("killed"), true).await.unwrap();
    assert_eq!(record.status, Status::Cancelled);
}

#[tokio::test]
async fn cancelling_again_is_fine_and_a_finished_one_stays_what_it_is() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let id = id_of("g-1");
    let first = rig.generations.cancel(&id).await.unwrap();
    assert_eq!(rig.generations.cancel(&id).await.unwrap(), first);
    rig.generations.complete(&id, claimed.lease_token.reveal(), json!({})).await.unwrap();
    assert_eq!(rig.generations.cancel(&id).await.unwrap_err().code(), ErrorCode::InvalidTransition);
    assert_eq!(rig.generations.cancel(&id_of("x")).await.unwrap_err().code(), ErrorCode::NotFound);
}
