//! What owners hear.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::rig::{Rig, id_of, report};

#[tokio::test]
async fn an_owner_hears_of_the_beginning_and_the_end_once_each() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let lease = claimed.lease_token.reveal();
    rig.generations.complete(&id_of("g-1"), lease, json!({"secret": 1})).await.unwrap();
    rig.step().await;
    let types = rig.ears.types();
    assert_eq!(types.first(), Some(&"generation.created"));
    assert_eq!(types.last(), Some(&"generation.completed"));
    assert_eq!(types.iter().filter(|t| **t != "generation.progress").count(), 2);
    let heard = rig.ears.heard();
    let last = heard.last().unwrap();
    assert_eq!(last.owner, rig.owner);
    assert_eq!(last.data["status"], "completed");
    assert!(last.data.get("result").is_none() && last.data.get("prompt").is_none());
}

#[tokio::test]
async fn progress_is_told_at_most_once_a_second_and_the_newest_wins() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    rig.step().await;
    let before = rig.ears.types().iter().filter(|t| **t == "generation.progress").count();
    assert_eq!(before, 1, "the claim itself");
    for n in 1..=50 {
        let lease = claimed.lease_token.reveal();
        rig.generations.progress(&id_of("g-1"), lease, report("s", f64::from(n) / 100.0)).await.unwrap();
    }
    rig.step().await;
    assert_eq!(rig.ears.types().iter().filter(|t| **t == "generation.progress").count(), 1);
    rig.clock.advance(Duration::from_secs(1));
    rig.step().await;
    let heard = rig.ears.heard();
    let told: Vec<_> = heard.iter().filter(|a| a.event_type == "generation.progress").collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].data["progress"], 0.5);
}

#[tokio::test]
async fn what_could_not_be_told_is_told_later_in_order_with_the_same_ids() {
    let rig = Rig::start().await;
    rig.ears.broken.store(true, Ordering::SeqCst);
    rig.create("g-1").await;
    rig.create("g-2").await;
    rig.generations.cancel(&id_of("g-1")).await.unwrap();
    rig.step().await;
    assert!(rig.ears.heard().is_empty());
    let rig = rig.restart().await;
    rig.ears.broken.store(false, Ordering::SeqCst);
    rig.step().await;
    let heard = rig.ears.heard();
    let told: Vec<_> = heard.iter().map(|a| (a.event_type, a.generation.as_str())).collect();
    assert_eq!(
        told,
        [("generation.created", "g-1"), ("generation.created", "g-2"), ("generation.cancelled", "g-1")]
    );
    let ids: Vec<_> = heard.iter().filter_map(|a| a.id.as_deref()).collect();
    assert_eq!(ids[0], format!("g-1.{}.generation.created", 1_763_690_000_123_i64));
    rig.step().await;
    assert_eq!(rig.ears.heard().len(), 3);
}
