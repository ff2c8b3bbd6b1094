//! Reports and ends.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use tidegate_generations::{Progress, Status};
use tidegate_types::ErrorCode;

use crate::rig::{Rig, id_of, report};

#[tokio::test]
async fn a_report_moves_record_and_stream_together() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let extras = serde_json::from_value(json!({"current_file": "a.rs", "steps": [1, {"n": 2}]})).unwrap();
    let sent = Progress { message: Some("Half way".to_owned()), extras, ..report("schema_extraction", 0.5) };
    let answer = rig.generations.progress(&id_of("g-1"), claimed.lease_token.reveal(), sent).await.unwrap();
    assert!(!answer.cancel_requested);
    let record = rig.lookup("g-1").await;
    assert_eq!((record.offset, record.progress), (answer.offset, 0.5));
    let (records, _) = rig.records("g-1").await;
    assert_eq!(
        records[2],
        json!({
            "generation_id": "g-1", "status": "processing", "stage": "schema_extraction", "progress": 0.5,
            "message": "Half way", "timestamp": 1_763_690_000.123, "attempt": 1,
            "current_file": "a.rs", "steps": [1, {"n": 2}],
        })
    );
}

#[tokio::test]
async fn progress_never_falls_within_an_attempt() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    for sent in [0.2, 0.7, 0.3] {
        let lease = claimed.lease_token.reveal();
        rig.generations.progress(&id_of("g-1"), lease, report("s", sent)).await.unwrap();
    }
    let silent = Progress { stage: "s".to_owned(), ..Progress::default() };
    rig.generations.progress(&id_of("g-1"), claimed.lease_token.reveal(), silent).await.unwrap();
    let (records, _) = rig.records("g-1").await;
    let seen: Vec<_> = records.iter().map(|record| record["progress"].as_f64().unwrap()).collect();
    assert_eq!(seen, [0.0, 0.0, 0.2, 0.7, 0.7, 0.7]);
}

#[rstest]
#[case("/type", Progress { extras: [("type".to_owned(), json!("x"))].into_iter().collect(), ..report("s", 0.1) })]
#[case("/attempt", Progress { extras: [("attempt".to_owned(), json!(9))].into_iter().collect(), ..report("s", 0.1) })]
#[case("/stage", report("", 0.1))]
#[case("/progress", report("s", 1.5))]
#[case("/progress", report("s", -0.5))]
#[case("/progress", report("s", f64::NAN))]
#[case("/message", Progress { message: Some("x".repeat(5_000)), ..report("s", 0.1) })]
#[case("/status", Progress { status: Some("completed".to_owned()), ..report("s", 0.1) })]
#[case("", Progress { extras: [("big".to_owned(), json!("x".repeat(300_000)))].into_iter().collect(), ..report("s", 0.1) })]
#[tokio::test]
async fn reports_outside_their_bounds_are_named_and_leave_no_record(
    #[case] pointer: &str,
    #[case] sent: Progress,
) {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let result = rig.generations.progress(&id_of("g-1"), claimed.lease_token.reveal(), sent).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ValidationFailed);
    assert!(error.to_string().starts_with(&format!("{pointer}: ")), "{error}");
    assert_eq!(rig.records("g-1").await.0.len(), 2);
}

#[tokio::test]
async fn a_report_renews_the_lease() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    for _ in 0..5 {
        rig.clock.advance(Duration::from_secs(20));
        rig.step().await;
        let lease = claimed.lease_token.reveal();
        rig.generations.progress(&id_of("g-1"), lease, report("s", 0.1)).await.unwrap();
    }
    assert_eq!(rig.lookup("g-1").await.status, Status::Processing);
}

#[tokio::test]
async fn completing_writes_the_result_and_closes_the_stream_in_one_step() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let lease = claimed.lease_token.reveal();
    let result = json!({"url": "https://example.org/v.mp4"});
    let record = rig.generations.complete(&id_of("g-1"), lease, result.clone()).await.unwrap();
    assert_eq!((record.status, record.progress), (Status::Completed, 1.0));
    assert_eq!((record.result.as_ref(), record.finished_at), (Some(&result), Some(rig.now())));
    assert_eq!(rig.lookup("g-1").await, record);
    let (records, closed) = rig.records("g-1").await;
    assert!(closed);
    assert_eq!(records[2]["result"], result);
    assert_eq!(records[2]["status"], "completed");
}

#[tokio::test]
async fn ending_twice_alike_is_answered_twice_and_otherwise_refused() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let (id, lease) = (id_of("g-1"), claimed.lease_token.reveal());
    let first = rig.generations.complete(&id, lease, json!(1)).await.unwrap();
    assert_eq!(rig.generations.complete(&id, lease, json!(1)).await.unwrap(), first);
    let other = rig.generations.complete(&id, lease, json!(2)).await.unwrap_err();
    assert_eq!(other.code(), ErrorCode::InvalidTransition);
    let failing = rig.generations.fail(&id, lease, json!("late"), false).await.unwrap_err();
    assert_eq!(failing.code(), ErrorCode::InvalidTransition);
    let late = rig.generations.progress(&id, lease, report("s", 0.5)).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::InvalidTransition);
    assert_eq!(rig.records("g-1").await.0.len(), 3);
}

#[tokio::test]
async fn failing_keeps_the_workers_words() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 3).await;
    let error = json!({"code": "out-of-credit", "message": "No credit left", "account": 7});
    let lease = claimed.lease_token.reveal();
    let record = rig.generations.fail(&id_of("g-1"), lease, error.clone(), false).await.unwrap();
    assert_eq!((record.status, record.error), (Status::Failed, Some(error)));
    assert_eq!(record.message.as_deref(), Some("No credit left"));
    assert!(rig.records("g-1").await.1, "the stream is closed");
}

#[tokio::test]
async fn strangers_and_forged_leases_are_fenced() {
    let rig = Rig::start().await;
    let first = rig.claimed("g-1", 1).await;
    let second = rig.claimed("g-2", 1).await;
    let id = id_of("g-1");
    for lease in [second.lease_token.reveal(), "", "tgl_forged", "tgk_x"] {
        let results = [
            rig.generations.progress(&id, lease, report("s", 0.1)).await.map(|_| ()).unwrap_err(),
            rig.generations.complete(&id, lease, Value::Null).await.map(|_| ()).unwrap_err(),
            rig.generations.fail(&id, lease, json!("x"), true).await.map(|_| ()).unwrap_err(),
        ];
        assert!(results.iter().all(|error| error.code() == ErrorCode::Fenced), "{results:?}");
    }
    rig.generations.progress(&id, first.lease_token.reveal(), report("s", 0.1)).await.unwrap();
    let missing = rig.generations.complete(&id_of("none"), first.lease_token.reveal(), Value::Null).await;
    assert_eq!(missing.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn the_lease_is_stored_as_a_digest_only() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let lease = rig.stored("g-1").await.unwrap().lease.unwrap();
    assert_eq!(lease.digest, claimed.lease_token.digest());
    assert!(!format!("{claimed:?}").contains(claimed.lease_token.reveal()));
    assert!(!rig.records("g-1").await.0.iter().any(|r| r.to_string().contains("tgl_")));
}

#[tokio::test]
async fn racing_ends_have_one_winner() {
    let rig = Rig::start().await;
    for round in 0..20 {
        let id = format!("g-{round}");
        let claimed = rig.claimed(&id, 1).await;
        let racers: Vec<_> = (0..8)
            .map(|n| {
                let generations = rig.generations.clone();
                let (id, lease) = (id_of(&id), claimed.lease_token.clone());
                tokio::spawn(async move {
                    if n % 2 == 0 {
                        generations.complete(&id, lease.reveal(), json!(n)).await.is_ok()
                    } else {
                        generations.fail(&id, lease.reveal(), json!(format!("{n}")), false).await.is_ok()
                    }
                })
            })
            .collect();
        let mut winners = 0;
        for racer in racers {
            winners += usize::from(racer.await.unwrap());
        }
        assert_eq!((winners, rig.records(&id).await.0.len()), (1, 3));
    }
}
