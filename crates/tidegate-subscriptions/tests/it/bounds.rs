//! How many there may be, and what makes two the same.

use std::time::Duration;

use rstest::rstest;
use tidegate_log::NewStream;
use tidegate_subscriptions::{CreateError, NewTarget, Owner, StreamsError};
use tidegate_types::Limits;

use crate::rig::{Rig, new, path};

fn pull(id: &str) -> tidegate_subscriptions::NewSubscription {
    new(id, NewTarget::PullWake(path("wake/pool")), Some("events/*"))
}

#[tokio::test]
async fn the_same_again_is_confirmed_and_anything_else_is_a_conflict() {
    let rig = Rig::start().await;
    let mut first = pull("a");
    first.streams = vec![path("x"), path("y")];
    assert!(rig.subs.create(first.clone()).await.unwrap().created);
    let mut again = first.clone();
    again.streams = vec![path("y"), path("x"), path("y")];
    assert!(!rig.subs.create(again).await.unwrap().created, "order and repetition don't count");
    let mut others = vec![first.clone(), first.clone(), first.clone(), first];
    others[0].lease = Some(Duration::from_secs(31));
    others[1].owner = Owner::new("key:2");
    others[2].pattern = None;
    others[3].target = NewTarget::PullWake(path("wake/other"));
    for other in others {
        assert!(matches!(rig.subs.create(other).await, Err(CreateError::Exists)));
    }
}

#[tokio::test]
async fn an_owner_and_a_node_hold_so_many_and_no_more() {
    let limits = Limits { subscriptions_per_principal: 2, subscriptions_per_node: 3, ..Limits::default() };
    let rig = Rig::with(limits).await;
    for id in ["a", "b"] {
        rig.subs.create(pull(id)).await.unwrap();
    }
    assert!(matches!(rig.subs.create(pull("c")).await, Err(CreateError::OwnerFull(2))));
    let of_other = |id: &str| {
        let mut new = pull(id);
        new.owner = Owner::new("key:2");
        new
    };
    rig.subs.create(of_other("c")).await.unwrap();
    assert!(matches!(rig.subs.create(of_other("d")).await, Err(CreateError::NodeFull(3))));
}

#[tokio::test]
async fn a_subscription_has_so_many_streams_and_no_more() {
    let rig = Rig::with(Limits { subscription_streams: 3, ..Limits::default() }).await;
    for n in 0..4 {
        rig.log.create(&path(&format!("many/{n}")), NewStream::json()).await.unwrap();
    }
    let mut wide = pull("wide");
    wide.pattern = Some("many/*".parse().unwrap());
    assert!(matches!(rig.subs.create(wide).await, Err(CreateError::TooManyStreams(3))));
    let uid = rig.subs.create(pull("a")).await.unwrap().view.subscription.uid;
    rig.subs.add_streams(uid, &[path("1"), path("2"), path("3")]).await.unwrap();
    assert!(matches!(rig.subs.add_streams(uid, &[path("4")]).await, Err(StreamsError::TooMany(3))));
    assert_eq!(rig.view("a").await.streams.len(), 3);
    rig.log.create(&path("wake/pool"), NewStream::json()).await.unwrap();
    rig.append("events/one-too-many").await;
    rig.settle().await;
    assert_eq!(rig.view("a").await.streams.len(), 3, "what is made later is left out");
}

#[rstest]
#[case(999)]
#[case(600_001)]
#[tokio::test]
async fn a_lease_lasts_a_second_to_ten_minutes(#[case] ms: u64) {
    let rig = Rig::start().await;
    let mut bad = pull("a");
    bad.lease = Some(Duration::from_millis(ms));
    assert!(matches!(rig.subs.create(bad).await, Err(CreateError::Lease { max_ms: 600_000 })));
}

#[tokio::test]
async fn streams_that_tell_of_wakes_are_not_subscribed_to() {
    let rig = Rig::start().await;
    let mut own = pull("a");
    own.streams = vec![path("wake/pool")];
    assert!(matches!(rig.subs.create(own).await, Err(CreateError::WakeStream)));
    let uid = rig.subs.create(pull("a")).await.unwrap().view.subscription.uid;
    assert!(matches!(rig.subs.add_streams(uid, &[path("wake/pool")]).await, Err(StreamsError::WakeStream)));
}
