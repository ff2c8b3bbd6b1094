//! Creating.

use serde_json::json;
use tidegate_generations::{CreateError, New, Status};
use tidegate_types::{ErrorCode, Offset, UserId};

use crate::rig::{Rig, id_of, new};

#[tokio::test]
async fn a_new_generation_has_its_record_and_its_first_event() {
    let rig = Rig::start().await;
    let created = rig.generations.create(rig.owner, new("g-1")).await.unwrap();
    assert!(!created.existed);
    let record = rig.lookup("g-1").await;
    assert_eq!(created.record, record);
    assert_eq!((record.status, record.stage.as_str(), record.attempt), (Status::Pending, "init", 1));
    assert_eq!((record.offset, record.queue_place), (Offset::START.plus(1), Some(1)));
    assert_eq!(record.created_at, rig.now());
    let (records, closed) = rig.records("g-1").await;
    assert!(!closed);
    assert_eq!(
        records,
        [json!({
            "generation_id": "g-1", "status": "pending", "stage": "init", "progress": 0.0,
            "message": "Waiting for a worker", "timestamp": 1_763_690_000.123, "attempt": 1,
            "owner_id": rig.owner, "title": "A title", "prompt": "Write", "framework": "external",
            "options": {"quality": "high"}, "document_ids": ["d-1"], "max_attempts": 1,
        })]
    );
}

#[tokio::test]
async fn the_server_makes_an_id_when_the_client_gives_none() {
    let rig = Rig::start().await;
    let created = rig.generations.create(rig.owner, New { id: None, ..new("x") }).await.unwrap();
    assert_eq!(created.record.id.as_str().len(), 36);
}

#[tokio::test]
async fn the_same_id_owner_and_body_give_the_record_that_is_there() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    rig.claim().await.unwrap();
    let again = rig.generations.create(rig.owner, new("g-1")).await.unwrap();
    assert!(again.existed);
    assert_eq!(again.record.status, Status::Processing);
    assert_eq!(rig.records("g-1").await.0.len(), 2);
}

#[tokio::test]
async fn anothers_id_and_another_body_are_refused_alike() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    let other: UserId = "01890a5d-ac96-774b-bcce-b302099a8060".parse().unwrap();
    let by_other = rig.generations.create(other, new("g-1")).await.unwrap_err();
    assert_eq!(by_other.code(), ErrorCode::IdTaken);
    let body = New { prompt: "Something else".to_owned(), ..new("g-1") };
    let with_other_body = rig.generations.create(rig.owner, body).await.unwrap_err();
    assert_eq!(with_other_body.code(), ErrorCode::IdTaken);
}

#[tokio::test]
async fn of_many_creators_of_one_id_one_creates_and_all_get_the_record() {
    let rig = Rig::start().await;
    let creators: Vec<_> = (0..16)
        .map(|_| {
            let (generations, owner) = (rig.generations.clone(), rig.owner);
            tokio::spawn(async move { generations.create(owner, new("g-1")).await.unwrap() })
        })
        .collect();
    let mut fresh = 0;
    for creator in creators {
        let created = creator.await.unwrap();
        assert_eq!(created.record.id, id_of("g-1"));
        fresh += usize::from(!created.existed);
    }
    assert_eq!((fresh, rig.records("g-1").await.0.len()), (1, 1));
}

#[tokio::test]
async fn a_framework_that_is_not_configured_is_refused() {
    let rig = Rig::start().await;
    let unknown = New { framework: "nobody-runs-this".to_owned(), ..new("g-1") };
    let error = rig.generations.create(rig.owner, unknown).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownFramework);
    assert_eq!(rig.generations.lookup(&id_of("g-1")).await.unwrap(), None);
}

#[tokio::test]
async fn fields_outside_their_bounds_are_named() {
    let rig = Rig::start().await;
    let cases = [
        ("/prompt", New { prompt: " ".to_owned(), ..new("g") }),
        ("/prompt", New { prompt: "x".repeat(300_000), ..new("g") }),
        ("/title", New { title: Some("x".repeat(600)), ..new("g") }),
        ("/document_ids", New { document_ids: vec!["d".to_owned(); 101], ..new("g") }),
        ("/document_ids/1", New { document_ids: vec!["d".to_owned(), String::new()], ..new("g") }),
        ("/max_attempts", New { max_attempts: Some(0), ..new("g") }),
        ("/max_attempts", New { max_attempts: Some(101), ..new("g") }),
    ];
    for (pointer, new) in cases {
        match rig.generations.create(rig.owner, new).await {
            Err(CreateError::Invalid(invalid)) => assert_eq!(invalid.pointer, pointer),
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_finished_one_is_repeated_as_a_new_one_that_names_it() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    let error = rig.generations.retry(rig.owner, &id_of("g-1")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidTransition);
    rig.generations.cancel(&id_of("g-1")).await.unwrap();
    let again = rig.generations.retry(rig.owner, &id_of("g-1")).await.unwrap();
    assert_ne!(again.id, id_of("g-1"));
    assert_eq!(again.retry_of, Some(id_of("g-1")));
    assert_eq!((again.status, again.prompt.as_str()), (Status::Pending, "Write"));
    assert_eq!(rig.records(again.id.as_str()).await.0[0]["retry_of"], "g-1");
    let stranger: UserId = "01890a5d-ac96-774b-bcce-b302099a8060".parse().unwrap();
    let error = rig.generations.retry(stranger, &id_of("g-1")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_deleted_generation_is_gone_with_its_stream_and_its_id_is_free() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    rig.generations.delete(&id_of("g-1")).await.unwrap();
    assert_eq!(rig.generations.lookup(&id_of("g-1")).await.unwrap(), None);
    let path = tidegate_generations::Generations::stream_path(&id_of("g-1"));
    assert!(rig.log.lookup(&path).await.unwrap().is_none());
    let error = rig.generations.delete(&id_of("g-1")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(!rig.generations.create(rig.owner, new("g-1")).await.unwrap().existed);
}
