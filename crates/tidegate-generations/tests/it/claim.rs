//! Claiming.

use std::collections::HashSet;
use std::time::Duration;

use rstest::rstest;
use tidegate_generations::{Claim, New, Status};
use tidegate_types::{ErrorCode, UserId};

use crate::rig::{Rig, claim, id_of, new, report};

#[tokio::test]
async fn the_oldest_fitting_one_is_claimed_first() {
    let rig = Rig::start().await;
    let codegen = New { framework: "codegen".to_owned(), ..new("other") };
    rig.generations.create(rig.owner, codegen).await.unwrap();
    rig.create("g-2").await;
    rig.create("g-1").await;
    assert_eq!(rig.lookup("g-1").await.queue_place, Some(2));
    assert_eq!(rig.lookup("other").await.queue_place, Some(1));
    let first = rig.claim().await.unwrap();
    assert_eq!((first.generation.id, first.epoch), (id_of("g-2"), 1));
    assert_eq!(first.generation.status, Status::Processing);
    assert_eq!(first.generation.worker.as_deref(), Some("w-1"));
    assert_eq!(rig.lookup("g-1").await.queue_place, Some(1));
    assert_eq!(rig.claim().await.unwrap().generation.id, id_of("g-1"));
    assert!(rig.claim().await.is_none());
    assert_eq!(rig.lookup("g-2").await.queue_place, None);
}

#[tokio::test]
async fn a_claim_may_name_the_one_it_wants() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    rig.create("g-2").await;
    let named = Claim { id: Some(id_of("g-2")), ..claim() };
    assert_eq!(rig.generations.claim(named).await.unwrap().unwrap().generation.id, id_of("g-2"));
    let taken = Claim { id: Some(id_of("g-2")), ..claim() };
    assert!(rig.generations.claim(taken).await.unwrap().is_none());
}

#[tokio::test]
async fn a_key_that_belongs_to_a_user_claims_only_that_users() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    let stranger: UserId = "01890a5d-ac96-774b-bcce-b302099a8060".parse().unwrap();
    let by_stranger = Claim { owner: Some(stranger), ..claim() };
    assert!(rig.generations.claim(by_stranger).await.unwrap().is_none());
    let by_owner = Claim { owner: Some(rig.owner), ..claim() };
    assert!(rig.generations.claim(by_owner).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_racing_workers_never_get_the_same_one() {
    let rig = Rig::start().await;
    for n in 0..48 {
        rig.create(&format!("g-{n}")).await;
    }
    let workers: Vec<_> = (0..16)
        .map(|n| {
            let generations = rig.generations.clone();
            tokio::spawn(async move {
                let mut got = Vec::new();
                while let Some(claimed) =
                    generations.claim(Claim { worker: format!("w-{n}"), ..claim() }).await.unwrap()
                {
                    got.push((claimed.generation.id.clone(), claimed.epoch));
                    let lease = claimed.lease_token.reveal();
                    generations.progress(&claimed.generation.id, lease, report("s", 0.5)).await.unwrap();
                }
                got
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    // A worker may see all candidates in other hands and stop early; whatever is left is one more's.
    while let Some(claimed) = rig.claim().await {
        all.push((claimed.generation.id, claimed.epoch));
    }
    assert_eq!(all.len(), 48);
    assert!(all.iter().all(|(_, epoch)| *epoch == 1));
    assert_eq!(all.into_iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), 48);
}

#[tokio::test]
async fn a_waiting_worker_gets_what_is_created_meanwhile() {
    let rig = Rig::start().await;
    let generations = rig.generations.clone();
    let waiting =
        tokio::spawn(
            async move { generations.claim(Claim { wait: Duration::from_secs(20), ..claim() }).await },
        );
    tokio::task::yield_now().await;
    rig.create("g-1").await;
    let claimed = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert_eq!(claimed.unwrap().unwrap().generation.id, id_of("g-1"));
}

#[tokio::test]
async fn a_worker_that_waited_in_vain_gets_nothing() {
    let rig = Rig::start().await;
    let waited = Claim { wait: Duration::from_millis(50), ..claim() };
    assert!(rig.generations.claim(waited).await.unwrap().is_none());
}

#[rstest]
#[case("/frameworks", Claim { frameworks: Vec::new(), ..claim() })]
#[case("/frameworks", Claim { frameworks: vec!["x".to_owned(); 65], ..claim() })]
#[case("/frameworks/0", Claim { frameworks: vec![String::new()], ..claim() })]
#[case("/lease_seconds", Claim { lease: Duration::from_secs(4), ..claim() })]
#[case("/lease_seconds", Claim { lease: Duration::from_secs(601), ..claim() })]
#[case("/wait", Claim { wait: Duration::from_secs(31), ..claim() })]
#[tokio::test]
async fn wishes_outside_their_bounds_are_named(#[case] pointer: &str, #[case] wish: Claim) {
    let rig = Rig::start().await;
    let error = rig.generations.claim(wish).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ValidationFailed);
    assert!(error.to_string().starts_with(pointer), "{error}");
}
