//! Lists, waiting for a change, retention.

use std::time::Duration;

use tidegate_generations::{Filter, New, Status};
use tidegate_types::{ErrorCode, Offset, UserId};

use crate::rig::{Rig, id_of, new, report};

async fn ids(
    rig: &Rig,
    filter: &Filter,
    cursor: Option<&str>,
    limit: usize,
) -> (Vec<String>, Option<String>) {
    let page = rig.generations.list(rig.owner, filter, cursor, limit).await.unwrap();
    (page.items.iter().map(|item| item.id.to_string()).collect(), page.next_cursor)
}

#[tokio::test]
async fn lists_run_newest_first_in_pages_without_gaps_or_repeats() {
    let rig = Rig::start().await;
    for n in 0..5 {
        rig.create(&format!("g-{n}")).await;
    }
    let all = Filter::default();
    let (first, cursor) = ids(&rig, &all, None, 2).await;
    rig.create("newer").await;
    let (second, cursor) = ids(&rig, &all, cursor.as_deref(), 2).await;
    let (third, end) = ids(&rig, &all, cursor.as_deref(), 2).await;
    assert_eq!([first, second, third].concat(), ["g-4", "g-3", "g-2", "g-1", "g-0"]);
    assert_eq!(end, None);
}

#[tokio::test]
async fn lists_show_what_the_filter_names_and_only_the_owners() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    rig.generations.create(rig.owner, New { framework: "codegen".to_owned(), ..new("g-2") }).await.unwrap();
    let stranger: UserId = "01890a5d-ac96-774b-bcce-b302099a8060".parse().unwrap();
    rig.generations.create(stranger, new("g-3")).await.unwrap();
    rig.generations.cancel(&id_of("g-1")).await.unwrap();
    let pending = Filter { status: Some(Status::Pending), framework: None };
    assert_eq!(ids(&rig, &pending, None, 10).await.0, ["g-2"]);
    let external = Filter { status: None, framework: Some("external".to_owned()) };
    assert_eq!(ids(&rig, &external, None, 10).await.0, ["g-1"]);
    for bad in ["", "x", "-1", "0", "+1", "99999999999999999999"] {
        let error = rig.generations.list(rig.owner, &pending, Some(bad), 10).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidCursor, "{bad:?}");
    }
}

#[tokio::test]
async fn waiting_ends_with_the_change() {
    let rig = Rig::start().await;
    let claimed = rig.claimed("g-1", 1).await;
    let generations = rig.generations.clone();
    let after = claimed.generation.offset;
    let waiting = tokio::spawn(async move {
        generations.wait_change(&id_of("g-1"), after, Duration::from_secs(20)).await.unwrap().unwrap()
    });
    tokio::task::yield_now().await;
    rig.generations.progress(&id_of("g-1"), claimed.lease_token.reveal(), report("s", 0.5)).await.unwrap();
    let changed = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert_eq!((changed.offset, changed.progress), (Offset::START.plus(3), 0.5));
}

#[tokio::test]
async fn waiting_ends_at_once_when_there_is_news_or_nothing_can_follow() {
    let rig = Rig::start().await;
    rig.create("g-1").await;
    let long = Duration::from_secs(20);
    let wait = |after| {
        let generations = rig.generations.clone();
        async move {
            let id = id_of("g-1");
            let waited = generations.wait_change(&id, after, long);
            tokio::time::timeout(Duration::from_secs(10), waited).await.unwrap().unwrap()
        }
    };
    assert!(wait(Offset::START).await.is_some());
    let ended = rig.generations.cancel(&id_of("g-1")).await.unwrap();
    assert_eq!(wait(ended.offset).await, Some(ended));
    rig.generations.delete(&id_of("g-1")).await.unwrap();
    assert_eq!(wait(Offset::START).await, None);
}

#[tokio::test]
async fn waiting_in_vain_gives_the_record_as_it_is() {
    let rig = Rig::start().await;
    let record = rig.create("g-1").await;
    let waited = rig.generations.wait_change(&id_of("g-1"), record.offset, Duration::from_millis(50)).await;
    assert_eq!(waited.unwrap(), Some(record));
}

#[tokio::test]
async fn finished_ones_are_removed_after_their_retention_and_others_stay() {
    let rig = Rig::start().await;
    rig.create("finished").await;
    rig.create("waiting").await;
    rig.generations.cancel(&id_of("finished")).await.unwrap();
    rig.clock.advance(Duration::from_secs(90 * 86_400));
    rig.step().await;
    assert!(rig.generations.lookup(&id_of("finished")).await.unwrap().is_some());
    rig.clock.advance(Duration::from_secs(1));
    rig.step().await;
    assert!(rig.generations.lookup(&id_of("finished")).await.unwrap().is_none());
    assert!(rig.generations.lookup(&id_of("waiting")).await.unwrap().is_some());
}
