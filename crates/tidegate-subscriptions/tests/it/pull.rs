//! Wakes that workers claim.

use tidegate_subscriptions::{AckError, ClaimError, Claimed, Status, View};

use crate::rig::{PULL, Rig, SECRET, path};

async fn claim(rig: &Rig, view: &View, worker: &str) -> Claimed {
    rig.subs.claim(PULL(view), worker).await.unwrap()
}

#[tokio::test]
async fn what_is_new_wakes_once_and_one_worker_works_on_it() {
    let rig = Rig::start().await;
    rig.append("events/old").await;
    let view = rig.pull("events/*").await;
    rig.settle().await;
    assert!(rig.records("wake/pool").await.is_empty(), "what was there before counts as read");
    rig.append("events/a").await;
    rig.append("events/a").await;
    rig.append("events/b").await;
    rig.settle().await;
    let wakes = rig.records("wake/pool").await;
    assert_eq!(wakes.len(), 1, "{wakes:?}");
    assert_eq!((&wakes[0]["type"], &wakes[0]["subscription_id"]), (&"wake".into(), &"pull".into()));
    let claimed = claim(&rig, &view, "one").await;
    assert_eq!(wakes[0]["generation"], claimed.generation);
    let pending: Vec<_> = claimed.streams.iter().filter(|stream| stream.pending).collect();
    assert_eq!(pending.len(), 2);
    match rig.subs.claim(PULL(&view), "two").await {
        Err(ClaimError::Claimed { holder, generation: 1 }) => assert_eq!(holder, "one"),
        other => panic!("{other:?}"),
    }
    let acked = rig.ack(&claimed, &[("events/a", 2)], false).await.unwrap();
    assert!(!acked.next_wake);
    let acked = rig.ack(&claimed, &[("events/b", 1)], true).await.unwrap();
    assert!(!acked.next_wake);
    assert!(matches!(rig.ack(&claimed, &[], true).await, Err(AckError::Fenced)));
    assert!(matches!(rig.subs.claim(PULL(&view), "two").await, Err(ClaimError::NothingPending)));
}

#[tokio::test]
async fn what_comes_during_the_work_is_the_next_wake() {
    let rig = Rig::start().await;
    let view = rig.pull("events/*").await;
    rig.append("events/a").await;
    rig.settle().await;
    let first = claim(&rig, &view, "one").await;
    rig.append("events/a").await;
    rig.settle().await;
    assert_eq!(rig.records("wake/pool").await.len(), 1, "the holder is not disturbed");
    assert!(rig.ack(&first, &[("events/a", 1)], true).await.unwrap().next_wake);
    rig.settle().await;
    let wakes = rig.records("wake/pool").await;
    assert_eq!((wakes.len(), wakes[1]["generation"].as_u64()), (2, Some(2)));
}

#[tokio::test]
async fn acknowledgements_count_all_together_or_not_at_all() {
    let rig = Rig::start().await;
    let view = rig.pull("events/*").await;
    rig.append("events/a").await;
    rig.append("events/a").await;
    rig.append("events/b").await;
    rig.settle().await;
    let claimed = claim(&rig, &view, "one").await;
    rig.ack(&claimed, &[("events/a", 1)], false).await.unwrap();
    let refused = rig.ack(&claimed, &[("events/a", 2), ("events/b", 2)], false).await;
    assert!(matches!(refused, Err(AckError::PastTail)));
    let refused = rig.ack(&claimed, &[("events/a", 2), ("elsewhere", 0)], false).await;
    assert!(matches!(refused, Err(AckError::UnknownStream)));
    let refused = rig.ack(&claimed, &[("events/b", 1), ("events/a", 0)], false).await;
    assert!(matches!(refused, Err(AckError::Backwards)));
    let acked = |stream: tidegate_subscriptions::ViewedStream| stream.acked.get();
    assert_eq!(acked(rig.stream("pull", "events/a").await), 1);
    assert_eq!(acked(rig.stream("pull", "events/b").await), 0);
}

#[tokio::test]
async fn a_lease_that_runs_out_passes_the_work_on_and_fences_the_late_worker_off() {
    let rig = Rig::start().await;
    let view = rig.pull("events/*").await;
    rig.append("events/a").await;
    rig.settle().await;
    let slow = claim(&rig, &view, "slow").await;
    rig.advance(20);
    rig.ack(&slow, &[], false).await.unwrap();
    rig.advance(29);
    rig.settle().await;
    assert!(matches!(rig.subs.claim(PULL(&view), "two").await, Err(ClaimError::Claimed { .. })));
    rig.advance(1);
    rig.settle().await;
    assert_eq!(rig.records("wake/pool").await.len(), 2);
    let quick = claim(&rig, &view, "quick").await;
    assert_eq!(quick.generation, slow.generation + 1);
    assert!(matches!(rig.ack(&slow, &[("events/a", 1)], true).await, Err(AckError::Fenced)));
    rig.ack(&quick, &[("events/a", 1)], true).await.unwrap();
}

#[tokio::test]
async fn a_token_opens_its_own_subscription_even_after_that_was_deleted_and_made_again() {
    let rig = Rig::start().await;
    let view = rig.pull("events/*").await;
    rig.append("events/a").await;
    rig.settle().await;
    let old = claim(&rig, &view, "one").await;
    assert!(rig.subs.delete(PULL(&view)).await.unwrap());
    assert!(matches!(rig.ack(&old, &[], true).await, Err(AckError::NotFound)));
    let again = rig.pull("events/*").await;
    rig.append("events/a").await;
    rig.settle().await;
    let new = claim(&rig, &again, "two").await;
    assert_eq!(new.generation, old.generation);
    assert!(matches!(rig.ack(&old, &[], true).await, Err(AckError::Token)));
}

#[tokio::test]
async fn a_wake_stream_wakes_nobody() {
    let rig = Rig::start().await;
    rig.pull("**").await;
    for _ in 0..3 {
        rig.append("events/a").await;
        rig.settle().await;
    }
    assert_eq!(rig.records("wake/pool").await.len(), 1);
    assert!(rig.view("pull").await.streams.iter().all(|stream| stream.path != path("wake/pool")));
}

#[tokio::test]
async fn a_path_that_was_deleted_and_made_again_is_read_from_its_start() {
    let rig = Rig::start().await;
    let view = rig.pull("events/*").await;
    rig.append("events/a").await;
    rig.append("events/a").await;
    rig.settle().await;
    let claimed = claim(&rig, &view, "one").await;
    rig.ack(&claimed, &[("events/a", 2)], true).await.unwrap();
    rig.log.delete(&path("events/a")).await.unwrap();
    rig.append("events/a").await;
    rig.settle().await;
    assert_eq!(rig.records("wake/pool").await.len(), 2);
    let stream = rig.stream("pull", "events/a").await;
    assert_eq!((stream.acked.get(), stream.tail.get(), stream.pending), (0, 1, true));
}

#[tokio::test]
async fn what_moved_before_a_crash_wakes_after_it_and_no_wake_is_told_twice() {
    let rig = Rig::start().await;
    rig.pull("events/*").await;
    rig.settle().await;
    rig.append("events/known").await;
    rig.append("events/new").await;
    // Nobody stepped: the hints die with the process.
    let rig = rig.restart(SECRET).await;
    rig.settle().await;
    assert_eq!(rig.records("wake/pool").await.len(), 1);
    assert_eq!(rig.view("pull").await.streams.iter().filter(|stream| stream.pending).count(), 2);
    let rig = rig.restart(SECRET).await;
    rig.settle().await;
    assert_eq!(rig.records("wake/pool").await.len(), 1, "it was told before the second crash");
}

#[tokio::test]
async fn a_wake_stream_that_is_not_there_is_tried_again_and_does_not_stop_a_claim() {
    let rig = Rig::start().await;
    let view = rig.pull("events/*").await;
    rig.log.delete(&path("wake/pool")).await.unwrap();
    rig.append("events/a").await;
    rig.settle().await;
    let subscription = rig.view("pull").await.subscription;
    assert_eq!(subscription.progress.status(), Status::Failed);
    assert_eq!(subscription.progress.failure.as_deref(), Some("the wake stream does not exist"));
    rig.log.create(&path("wake/pool"), tidegate_log::NewStream::json()).await.unwrap();
    rig.advance(1);
    rig.settle().await;
    assert_eq!(rig.records("wake/pool").await.len(), 1);
    assert_eq!(rig.view("pull").await.subscription.progress.status(), Status::Active);
    claim(&rig, &view, "one").await;
}

#[tokio::test]
async fn who_may_no_longer_read_a_stream_is_not_woken_by_it() {
    let rig = Rig::start().await;
    let view = rig.pull("events/*").await;
    rig.append("events/a").await;
    rig.rights.unreadable.lock().unwrap().insert(path("events/a"));
    rig.settle().await;
    assert!(rig.records("wake/pool").await.is_empty());
    rig.append("events/b").await;
    rig.settle().await;
    let claimed = claim(&rig, &view, "one").await;
    assert!(claimed.streams.iter().all(|stream| stream.path != path("events/a")), "{:?}", claimed.streams);
}
