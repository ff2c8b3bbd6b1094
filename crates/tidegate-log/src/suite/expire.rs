//! Sliding and fixed ends of life.

use std::time::Duration;

use tidegate_types::{Clock as _, ReadFrom, StreamPath};

use super::{Bench, Subject, bytes_stream, path};
use crate::{Append, AppendError, NewStream, TailStep};

const LIFE: Duration = Duration::from_secs(100);

async fn sliding(bench: &Bench, at: &str) -> StreamPath {
    let at = path(at);
    bench.log.create(&at, NewStream { ttl: Some(LIFE), ..bytes_stream() }).await.unwrap();
    at
}

async fn lives(bench: &Bench, at: &StreamPath) -> bool {
    bench.log.lookup(at).await.unwrap().is_some()
}

/// A claim of the suite.
pub async fn a_sliding_life_is_renewed_by_reads_and_writes_only(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = sliding(&bench, "a").await;
    for round in 0..6 {
        bench.clock.advance(LIFE * 6 / 10);
        match round % 3 {
            0 => drop(bench.append(&at, "x").await),
            1 => drop(bench.page(&at, ReadFrom::Tail, 1).await),
            _ => drop(bench.log.tail(&at, ReadFrom::Start).await.unwrap()),
        }
    }
    bench.clock.advance(LIFE * 6 / 10);
    assert!(lives(&bench, &at).await, "a look does not renew");
    bench.clock.advance(LIFE * 6 / 10);
    assert!(!lives(&bench, &at).await);
    assert_eq!(bench.log.append(&at, Append::one("x")).await, Err(AppendError::NotFound));
}

/// A claim of the suite.
pub async fn small_renewals_are_kept_in_memory_and_flushed(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = sliding(&bench, "a").await;
    // Less than a tenth: only memory knows, and that counts.
    bench.clock.advance(LIFE / 20);
    bench.page(&at, ReadFrom::Start, 1).await;
    bench.clock.advance(LIFE * 98 / 100);
    assert!(lives(&bench, &at).await);
    bench.housekeep().await;
    assert!(lives(&bench, &at).await, "housekeeping looks at memory too");
    let bench = bench.reopen().await;
    assert!(lives(&bench, &at).await, "and has told the store meanwhile");
    bench.clock.advance(LIFE);
    assert!(!lives(&bench, &at).await);
}

/// A claim of the suite.
pub async fn an_expiry_time_is_not_moved_by_reads_and_writes(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = path("a");
    let expires_at = Some(bench.clock.now().plus(LIFE));
    let info = bench.log.create(&at, NewStream { expires_at, ..bytes_stream() }).await.unwrap().info;
    assert_eq!(info.expires_at, expires_at);
    bench.clock.advance(LIFE * 9 / 10);
    bench.append(&at, "x").await;
    bench.page(&at, ReadFrom::Start, 1).await;
    assert!(lives(&bench, &at).await);
    bench.clock.advance(LIFE * 2 / 10);
    assert!(!lives(&bench, &at).await);
}

/// A claim of the suite.
pub async fn an_expired_path_can_be_used_again_at_once(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = sliding(&bench, "a").await;
    bench.append(&at, "old").await;
    bench.clock.advance(LIFE * 2);
    assert!(!bench.log.delete(&at).await.unwrap());
    assert!(!bench.log.create(&at, bytes_stream()).await.unwrap().existed);
    bench.append(&at, "new").await;
    bench.housekeep().await;
    assert_eq!(bench.read_all(&at).await, ["new"]);
}

/// A claim of the suite.
pub async fn housekeeping_ends_the_tails_of_expired_streams(subject: Subject) {
    let bench = Bench::open(subject).await;
    let (at, other) = (sliding(&bench, "a").await, sliding(&bench, "b").await);
    let mut tail = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    assert!(matches!(tail.next(100).await.unwrap(), TailStep::UpToDate));
    bench.clock.advance(LIFE * 9 / 10);
    bench.append(&other, "x").await;
    bench.clock.advance(LIFE * 9 / 10);
    bench.housekeep().await;
    assert!(matches!(tail.next(100).await.unwrap(), TailStep::Deleted));
    assert!(lives(&bench, &other).await);
}

/// A claim of the suite.
pub async fn housekeeping_says_when_it_is_due_again(subject: Subject) {
    let bench = Bench::open(subject).await;
    let now = bench.clock.now();
    assert!(bench.log.step(now).await.unwrap() > now);
    let soon = now.plus(Duration::from_millis(300));
    let new = NewStream { expires_at: Some(soon), ..bytes_stream() };
    bench.log.create(&path("a"), new).await.unwrap();
    assert_eq!(bench.log.step(now).await.unwrap(), soon);
}
