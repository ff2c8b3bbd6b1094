//! The catalogue.

use serde_json::json;
use tidegate_events::{Audience, NewType, OwnEvent, PublishError, RegisterError};
use tidegate_types::{ErrorCode, Limits};

use crate::rig::{Rig, publish};

fn novel() -> NewType {
    NewType {
        name: "novel.created".parse().unwrap(),
        schema: Some(json!({
            "type": "object",
            "properties": {"title": {"type": "string", "maxLength": 5}, "pages": {"type": "integer"}},
            "required": ["title"],
        })),
        description: Some("A novel was created".to_owned()),
    }
}

#[tokio::test]
async fn data_of_a_registered_type_is_checked_and_each_place_is_named() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    rig.events.register_type(novel()).await.unwrap();
    let send = |data: &str| rig.events.publish(publish(Audience::User(user), "novel.created", data));
    send(r#"{"title": "short"}"#).await.unwrap();
    let error = send(r#"{"title": "secret-and-too-long", "pages": 1.5}"#).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::SchemaViolation);
    let PublishError::Schema { violations, .. } = error else { panic!("{error:?}") };
    let mut places: Vec<_> = violations.iter().map(|v| v.pointer.as_str()).collect();
    places.sort_unstable();
    assert_eq!(places, ["/data/pages", "/data/title"]);
    assert!(!format!("{violations:?}").contains("secret"), "{violations:?}");
    let error = send("7").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::SchemaViolation);
    assert_eq!(rig.feed(user).await.len(), 1);
}

#[tokio::test]
async fn types_without_a_schema_and_unregistered_ones_take_any_data() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    rig.events.register_type(NewType { schema: None, ..novel() }).await.unwrap();
    for name in ["novel.created", "never.registered"] {
        rig.events.publish(publish(Audience::User(user), name, "[null]")).await.unwrap();
    }
}

#[tokio::test]
async fn registering_again_changes_the_type_and_a_restart_keeps_it() {
    let rig = Rig::start().await;
    let user = rig.add_users(1)[0];
    let first = rig.events.register_type(novel()).await.unwrap();
    rig.clock.advance(std::time::Duration::from_secs(1));
    let changed = NewType { schema: Some(json!({"type": "integer"})), ..novel() };
    let second = rig.events.register_type(changed).await.unwrap();
    assert_eq!((second.created_at, second.updated_at), (first.created_at, Some(rig.now())));
    let rig = rig.restart().await;
    rig.events.publish(publish(Audience::User(user), "novel.created", "7")).await.unwrap();
    let refused =
        rig.events.publish(publish(Audience::User(user), "novel.created", r#"{"title":"a"}"#)).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::SchemaViolation);
    let listed = rig.events.list_types();
    assert_eq!(listed.len(), OwnEvent::ALL.len() + 1);
    assert_eq!(listed.last(), Some(&second));
}

#[tokio::test]
async fn the_servers_own_types_are_listed_and_cannot_be_changed() {
    let rig = Rig::start().await;
    let listed = rig.events.list_types();
    let names: Vec<_> = listed.iter().map(|entry| entry.name.as_str()).collect();
    assert!(names.contains(&"generation.progress") && names.contains(&"session.ended"));
    assert!(listed.iter().all(|entry| entry.own && entry.description.is_some()));
    let own = NewType { name: "generation.created".parse().unwrap(), ..novel() };
    assert!(matches!(rig.events.register_type(own).await, Err(RegisterError::Own(_))));
}

#[tokio::test]
async fn the_catalogue_and_each_entry_have_bounds() {
    let rig = Rig::with_limits(Limits { catalogue_types: 1, ..Limits::default() }).await;
    rig.events.register_type(novel()).await.unwrap();
    rig.events.register_type(novel()).await.unwrap();
    let second = NewType { name: "other".parse().unwrap(), ..novel() };
    assert!(matches!(rig.events.register_type(second).await, Err(RegisterError::Full(1))));
    let wordy = NewType { description: Some("x".repeat(2_000)), ..novel() };
    assert!(matches!(rig.events.register_type(wordy).await, Err(RegisterError::DescriptionTooLong)));
    let huge = NewType { schema: Some(json!({"description": "x".repeat(70_000)})), ..novel() };
    assert_eq!(rig.events.register_type(huge).await.unwrap_err().code(), ErrorCode::ValidationFailed);
    let remote = NewType { schema: Some(json!({"$ref": "https://example.org/s"})), ..novel() };
    assert_eq!(rig.events.register_type(remote).await.unwrap_err().code(), ErrorCode::ValidationFailed);
}
