//! Publishing to users that are named.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tidegate_events::{Audience, OwnEvent, Publish, PublishError};
use tidegate_types::{ErrorCode, Limits, Offset, OsEntropy, UserId};

use crate::rig::{Rig, publish};

#[tokio::test]
async fn an_event_is_the_record_of_the_contract_in_a_feed_made_on_demand() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    assert!(rig.log.lookup(&tidegate_events::Events::feed_path(user)).await.unwrap().is_none());
    let sent =
        rig.events.publish(publish(Audience::User(user), "novel.created", r#"{"a": 1}"#)).await.unwrap();
    assert_eq!((sent.offsets, sent.operation), (vec![(user, Offset::START.plus(1))], None));
    assert_eq!(
        rig.feed(user).await,
        [json!({"type": "novel.created", "data": {"a": 1}, "timestamp": 1_763_690_000.123})]
    );
    let info = rig.events.ensure_feed(user).await.unwrap();
    assert_eq!((info.tail, info.is_json()), (Offset::START.plus(1), true));
}

#[tokio::test]
async fn a_list_of_users_gets_it_once_each_in_the_order_named() {
    let rig = Rig::start().await;
    let users = rig.add_users(3);
    let named = vec![users[2], users[0], users[2], users[1]];
    let sent = rig.events.publish(publish(Audience::Users(named), "t", "1")).await.unwrap();
    let order: Vec<_> = sent.offsets.iter().map(|(user, _)| *user).collect();
    assert_eq!(order, [users[2], users[0], users[1]]);
    for user in users {
        assert_eq!(rig.feed(user).await.len(), 1);
    }
}

#[tokio::test]
async fn if_one_user_is_unknown_nobody_is_sent_anything() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    let stranger = UserId::generate(rig.now(), &OsEntropy);
    let error =
        rig.events.publish(publish(Audience::Users(vec![user, stranger]), "t", "1")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ValidationFailed);
    assert_eq!(error.pointer().as_deref(), Some("/user_ids/1"));
    assert!(rig.feed(user).await.is_empty());
    let error = rig.events.publish(publish(Audience::User(stranger), "t", "1")).await.unwrap_err();
    assert_eq!(error.pointer().as_deref(), Some("/user_id"));
}

#[tokio::test]
async fn an_audience_has_bounds() {
    let rig = Rig::with_limits(Limits { publish_users: 2, ..Limits::default() }).await;
    let users = rig.add_users(3);
    let nobody = rig.events.publish(publish(Audience::Users(Vec::new()), "t", "1")).await;
    assert!(matches!(nobody, Err(PublishError::NobodyNamed)));
    let many = rig.events.publish(publish(Audience::Users(users), "t", "1")).await;
    assert!(matches!(many, Err(PublishError::TooManyUsers { named: 3, limit: 2 })));
}

#[tokio::test]
async fn the_same_id_for_the_same_user_is_written_once() {
    let rig = Rig::start().await;
    let users = rig.add_users(2);
    let with_id = |user| Publish { id: Some("e-1".to_owned()), ..publish(Audience::User(user), "t", "1") };
    let first = rig.events.publish(with_id(users[0])).await.unwrap();
    rig.events.publish(publish(Audience::User(users[0]), "t", "2")).await.unwrap();
    assert_eq!(rig.events.publish(with_id(users[0])).await.unwrap(), first);
    assert_eq!(rig.feed(users[0]).await.len(), 2);
    assert_eq!(rig.feed(users[0]).await[0]["id"], "e-1");
    rig.events.publish(with_id(users[1])).await.unwrap();
    assert_eq!(rig.feed(users[1]).await.len(), 1);
}

#[tokio::test]
async fn racing_publications_of_one_id_write_one_record() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    let racers: Vec<_> = (0..16)
        .map(|_| {
            let events = rig.events.clone();
            let event = Publish { id: Some("e-1".to_owned()), ..publish(Audience::User(user), "t", "1") };
            tokio::spawn(async move { events.publish(event).await.unwrap() })
        })
        .collect();
    for racer in racers {
        assert_eq!(racer.await.unwrap().offsets, [(user, Offset::START.plus(1))]);
    }
    assert_eq!(rig.feed(user).await.len(), 1);
}

#[tokio::test]
async fn a_crash_between_the_record_and_its_note_does_not_double_it() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    rig.events.publish(publish(Audience::User(user), "t", "0")).await.unwrap();
    let event = || Publish { id: Some("e-1".to_owned()), ..publish(Audience::User(user), "t", "1") };
    rig.faults.settle.store(true, Ordering::SeqCst);
    rig.events.publish(event()).await.unwrap_err();
    assert_eq!(rig.feed(user).await.len(), 2);
    let rig = rig.restart().await;
    rig.events.publish(publish(Audience::User(user), "t", "2")).await.unwrap();
    let again = rig.events.publish(event()).await.unwrap();
    assert_eq!(again.offsets, [(user, Offset::START.plus(2))]);
    assert_eq!(rig.feed(user).await.len(), 3);
}

#[tokio::test]
async fn ids_are_forgotten_after_the_retention() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    let event = || Publish { id: Some("e-1".to_owned()), ..publish(Audience::User(user), "t", "1") };
    rig.events.publish(event()).await.unwrap();
    rig.clock.advance(Duration::from_secs(31 * 86_400));
    rig.settle().await;
    rig.events.publish(event()).await.unwrap();
    assert_eq!(rig.feed(user).await.len(), 2);
}

#[tokio::test]
async fn ids_that_cannot_be_printed_are_refused() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    for bad in [String::new(), "x".repeat(129), "a\nb".to_owned(), "a\0".to_owned()] {
        let event = Publish { id: Some(bad), ..publish(Audience::User(user), "t", "1") };
        assert!(matches!(rig.events.publish(event).await, Err(PublishError::BadId)));
    }
}

#[tokio::test]
async fn the_servers_own_events_look_like_all_others() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    let data = json!({"generation_id": "g-1"});
    for _ in 0..2 {
        rig.events.publish_own(user, OwnEvent::GenerationCreated, &data, Some("g-1.created")).await.unwrap();
    }
    let feed = rig.feed(user).await;
    assert_eq!(feed.len(), 1);
    assert_eq!((&feed[0]["type"], &feed[0]["data"]), (&json!("generation.created"), &data));
}
