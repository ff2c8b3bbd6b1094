//! Publishing to everybody.

use std::sync::atomic::Ordering;

use tidegate_events::{Audience, OperationState, Publish, PublishError};
use tidegate_types::ErrorCode;

use crate::rig::{Rig, publish};

#[tokio::test]
async fn a_broadcast_reaches_everybody_once_in_bounded_steps() {
    let rig = Rig::start().await;
    let users = rig.add_users(450);
    let sent = rig.events.publish(publish(Audience::Broadcast, "news", r#""x""#)).await.unwrap();
    let id = sent.operation.unwrap();
    assert!(sent.offsets.is_empty() && rig.feed(users[0]).await.is_empty());
    rig.events.woken().await;
    rig.events.step(rig.now()).await.unwrap();
    let operation = rig.events.lookup_operation(&id).await.unwrap().unwrap();
    assert_eq!((operation.state, operation.sent), (OperationState::Running, 200));
    rig.settle().await;
    let operation = rig.events.lookup_operation(&id).await.unwrap().unwrap();
    assert_eq!((operation.state, operation.sent), (OperationState::Done, 450));
    assert_eq!(operation.finished_at, Some(rig.now()));
    for user in users {
        let feed = rig.feed(user).await;
        assert_eq!((feed.len(), &feed[0]["data"]), (1, &serde_json::json!("x")));
    }
}

#[tokio::test]
async fn a_broadcast_goes_on_after_a_restart_and_doubles_nothing() {
    let rig = Rig::start().await;
    let users = rig.add_users(250);
    rig.events.publish(publish(Audience::Broadcast, "news", "1")).await.unwrap();
    // Cut off between the batch and the note of it.
    rig.faults.advances_to_fail.store(1, Ordering::SeqCst);
    rig.events.step(rig.now()).await.unwrap_err();
    let rig = rig.restart().await;
    rig.events.woken().await;
    rig.settle().await;
    for user in users {
        assert_eq!(rig.feed(user).await.len(), 1);
    }
}

#[tokio::test]
async fn the_same_id_names_the_same_broadcast() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    let event = || Publish { id: Some("e-1".to_owned()), ..publish(Audience::Broadcast, "news", "1") };
    let first = rig.events.publish(event()).await.unwrap();
    assert_eq!(rig.events.publish(event()).await.unwrap(), first);
    rig.settle().await;
    assert_eq!(rig.events.publish(event()).await.unwrap(), first);
    rig.settle().await;
    assert_eq!(rig.feed(user).await.len(), 1);
}

#[tokio::test]
async fn broadcasts_under_way_have_a_bound() {
    let rig = Rig::start().await;
    for _ in 0..100 {
        rig.events.publish(publish(Audience::Broadcast, "news", "1")).await.unwrap();
    }
    let error = rig.events.publish(publish(Audience::Broadcast, "news", "1")).await.unwrap_err();
    assert!(matches!(error, PublishError::TooManyBroadcasts));
    assert_eq!(error.code(), ErrorCode::Overloaded);
    assert!(rig.events.lookup_operation("none").await.unwrap().is_none());
}
