//! Rows that fell behind their streams.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tidegate_generations::{Entry, GenerationStore as _, Generations, Status};
use tidegate_log::Append;
use tidegate_types::ErrorCode;

use crate::rig::{Rig, id_of, new, report};

/// Appends behind the row's back, as a crash between record and row would leave it.
async fn append(rig: &Rig, entry: &Entry) {
    let append = Append {
        records: vec![entry.encode().unwrap()],
        close: entry.status.is_finished(),
        ..Append::default()
    };
    rig.log.append(&Generations::stream_path(&entry.generation_id), append).await.unwrap();
}

#[tokio::test]
async fn a_restart_replays_what_the_row_does_not_reflect() {
    let rig = Rig::start().await;
    rig.create("other").await;
    rig.claimed_named("g-1").await;
    let state = rig.stored("g-1").await.unwrap().state;
    append(&rig, &state.report("late", Some(0.8), None, rig.now()).unwrap()).await;
    append(&rig, &state.end_completed(json!({"n": 1}), rig.now()).unwrap()).await;
    assert_eq!(rig.stored("g-1").await.unwrap().state.record.status, Status::Processing);
    let rig = rig.restart().await;
    let record = rig.stored("g-1").await.unwrap().state.record;
    assert_eq!((record.status, record.offset.get()), (Status::Completed, 4));
    assert_eq!(record.result, Some(json!({"n": 1})));
    assert_eq!(rig.lookup("other").await.status, Status::Pending);
    rig.step().await;
    assert_eq!(rig.ears.types().iter().filter(|t| **t == "generation.completed").count(), 1);
}

#[tokio::test]
async fn a_stream_without_its_row_gets_one_at_the_restart() {
    let rig = Rig::start().await;
    rig.saves_to_fail.store(1, Ordering::SeqCst);
    let error = rig.generations.create(rig.owner, new("g-1")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DatabaseUnavailable);
    assert!(rig.stored("g-1").await.is_none());
    let rig = rig.restart().await;
    assert_eq!(rig.stored("g-1").await.unwrap().state.record.prompt, "Write");
    assert!(rig.generations.create(rig.owner, new("g-1")).await.unwrap().existed);
    assert!(rig.claim().await.is_some());
}

#[tokio::test]
async fn a_creation_that_was_cut_off_is_finished_by_asking_again() {
    let rig = Rig::start().await;
    rig.saves_to_fail.store(1, Ordering::SeqCst);
    rig.generations.create(rig.owner, new("g-1")).await.unwrap_err();
    let again = rig.generations.create(rig.owner, new("g-1")).await.unwrap();
    assert!(again.existed);
    assert_eq!(rig.records("g-1").await.0.len(), 1);
}

#[tokio::test]
async fn a_row_without_its_stream_is_removed_at_the_restart() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    rig.log.delete(&Generations::stream_path(&id_of("g-1"))).await.unwrap();
    let rig = rig.restart().await;
    assert!(rig.store.lookup(&id_of("g-1")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_failed_row_is_mended_by_the_next_look() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let (id, lease) = (id_of("g-1"), claimed.lease_token.reveal());
    rig.saves_to_fail.store(1, Ordering::SeqCst);
    let error = rig.generations.complete(&id, lease, json!(1)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DatabaseUnavailable);
    assert_eq!(rig.stored("g-1").await.unwrap().state.record.status, Status::Processing);
    assert_eq!(rig.lookup("g-1").await.status, Status::Completed);
    // The worker asks again, since it got no answer, and hears that all is well.
    assert_eq!(rig.generations.complete(&id, lease, json!(1)).await.unwrap().status, Status::Completed);
    assert_eq!(rig.records("g-1").await.0.len(), 3);
}

#[tokio::test]
async fn a_step_mends_what_nobody_looks_at() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    rig.saves_to_fail.store(1, Ordering::SeqCst);
    rig.generations.cancel(&id_of("g-1")).await.unwrap_err();
    rig.step().await;
    assert_eq!(rig.stored("g-1").await.unwrap().state.record.status, Status::Cancelled);
}

#[tokio::test]
async fn a_decision_on_an_old_row_is_made_anew() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    let state = rig.stored("g-1").await.unwrap().state;
    // Another node ended it; this node's row does not know.
    append(&rig, &state.cancel(rig.now()).unwrap()).await;
    assert!(rig.claim().await.is_none());
    assert_eq!(rig.lookup("g-1").await.status, Status::Cancelled);
    assert_eq!(rig.records("g-1").await.0.len(), 2);
}

#[tokio::test]
async fn a_claim_whose_row_was_lost_is_given_to_the_next_worker() {
    let rig = Rig::start().await;
    rig.create_with("g-1", 2).await;
    let state = rig.stored("g-1").await.unwrap().state;
    append(&rig, &state.claim("gone", rig.now()).unwrap()).await;
    let rig = rig.restart().await;
    rig.step().await;
    let back = rig.lookup("g-1").await;
    assert_eq!((back.status, back.attempt), (Status::Pending, 2));
    assert_eq!(rig.claim().await.unwrap().epoch, 2);
}

#[tokio::test]
async fn a_record_that_does_not_fit_is_stepped_over() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    let path = Generations::stream_path(&id_of("g-1"));
    rig.log.append(&path, Append::one(&b"{\"not\":\"ours\"}"[..])).await.unwrap();
    let rig = rig.restart().await;
    let claimed = rig.claim().await.unwrap();
    rig.clock.advance(Duration::from_secs(1));
    let lease = claimed.lease_token.reveal();
    rig.generations.progress(&id_of("g-1"), lease, report("s", 0.5)).await.unwrap();
    assert_eq!(rig.lookup("g-1").await.offset.get(), 4);
}

impl Rig {
    async fn claimed_named(&self, id: &str) {
        self.create(id).await;
        let named = tidegate_generations::Claim { id: Some(id_of(id)), ..crate::rig::claim() };
        self.generations.claim(named).await.unwrap().unwrap();
    }
}
