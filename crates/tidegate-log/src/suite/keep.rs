//! Retention.

use std::time::Duration;

use tidegate_types::{Clock as _, Offset, ReadFrom, StreamPath, StreamPattern};

use super::{Bench, Subject, offset, records};
use crate::{Append, Gap, Keep, KeepRule, LogOptions};

const WALK: Duration = Duration::from_secs(61);

fn rule(path: &str, keep: Keep) -> KeepRule {
    let path: StreamPattern = path.parse().unwrap();
    KeepRule { path, keep }
}

async fn bench(subject: Subject, keep: Vec<KeepRule>) -> Bench {
    Bench::with(subject, LogOptions { keep, ..LogOptions::default() }).await
}

impl Bench {
    async fn keep(&self) {
        self.clock.advance(WALK);
        self.housekeep().await;
    }
}

/// A claim of the suite.
pub async fn only_the_newest_records_are_kept(subject: Subject) {
    let rules = vec![rule("a/**", Keep { max_records: Some(3), ..Keep::default() })];
    let bench = bench(subject, rules).await;
    let at = bench.create("a/b").await;
    bench.log.append(&at, Append::batch(records(0..3))).await.unwrap();
    bench.keep().await;
    assert_eq!(bench.read_all(&at).await, ["0", "1", "2"]);
    bench.log.append(&at, Append::batch(records(3..10))).await.unwrap();
    bench.keep().await;
    assert_eq!(bench.read_all(&at).await, ["7", "8", "9"]);
    let page = bench.page(&at, ReadFrom::At(offset(1)), 1).await;
    assert_eq!(page.gap, Some(Gap::Trimmed { from: offset(1), to: offset(7) }));
}

/// A claim of the suite.
pub async fn what_is_too_old_is_dropped_and_the_offsets_go_on(subject: Subject) {
    let hour = Duration::from_secs(3_600);
    let bench = bench(subject, vec![rule("**", Keep { max_age: Some(hour), ..Keep::default() })]).await;
    let at = bench.create("a").await;
    bench.log.append(&at, Append::batch(records(0..4))).await.unwrap();
    bench.clock.advance(hour / 2);
    bench.log.append(&at, Append::batch(records(4..6))).await.unwrap();
    bench.keep().await;
    assert_eq!(bench.read_all(&at).await.len(), 6, "nothing is an hour old");
    bench.clock.advance(hour / 2);
    bench.keep().await;
    assert_eq!(bench.read_all(&at).await, ["4", "5"]);
    bench.clock.advance(hour);
    bench.keep().await;
    assert_eq!(bench.read_all(&at).await, Vec::<String>::new());
    assert_eq!(bench.append(&at, "6").await, offset(7));
}

/// A claim of the suite.
pub async fn the_newest_bytes_are_kept(subject: Subject) {
    let bench = bench(subject, vec![rule("**", Keep { max_bytes: Some(10_000), ..Keep::default() })]).await;
    let at = bench.create("a").await;
    let large = "x".repeat(3_000);
    for _ in 0..3 {
        bench.append(&at, &large).await;
    }
    bench.keep().await;
    assert_eq!(bench.read_all(&at).await.len(), 3, "all of it fits");
    for _ in 0..40 {
        bench.append(&at, &large).await;
    }
    bench.keep().await;
    let left = bench.read_all(&at).await.len();
    assert!(left <= 3, "{left} records of 3,000 bytes do not fit into 10,000");
    assert_eq!(bench.log.lookup(&at).await.unwrap().unwrap().tail, offset(43));
}

/// A claim of the suite.
pub async fn what_a_fork_inherits_is_as_old_and_as_large_as_if_it_were_its_own(subject: Subject) {
    let hour = Duration::from_secs(3_600);
    let (old, large) =
        (Keep { max_age: Some(hour), ..Keep::default() }, Keep { max_bytes: Some(900), ..Keep::default() });
    let bench = bench(subject, vec![rule("old/**", old), rule("large/**", large)]).await;
    let source = bench.create("source").await;
    for n in 0..4 {
        bench.append(&source, &format!("{n}{}", "x".repeat(199))).await;
        bench.clock.advance(hour / 4);
    }
    let start = async |of: &StreamPath| bench.log.lookup(of).await.unwrap().unwrap().start;
    let aging = bench.fork(&source, Some(3), 0, "old/fork").await;
    let small = bench.fork(&source, Some(3), 0, "large/fork").await;
    let whole = bench.fork(&source, Some(3), 0, "large/whole").await;
    let part = bench.fork(&source, Some(2), 9, "large/part").await;
    bench.append(&small, &"own".repeat(130)).await;
    bench.append(&part, &"own".repeat(150)).await;
    bench.log.step(bench.clock.now()).await.unwrap();
    assert_eq!(start(&aging).await, offset(1), "the first is an hour old, by its own time");
    assert_eq!(start(&small).await, offset(1), "two inherited ones fit beside its own");
    assert_eq!(start(&whole).await, Offset::START, "what the source has after the fork does not count");
    assert_eq!(start(&part).await, Offset::START, "nor the rest of a record of which it has a part");
    let deep = bench.fork(&aging, None, 0, "old/deep").await;
    bench.append(&deep, "young").await;
    bench.clock.advance(hour / 2);
    bench.keep().await;
    assert_eq!((start(&aging).await, start(&deep).await), (offset(3), offset(3)));
    assert_eq!(bench.read_all(&deep).await, ["young"]);
    assert_eq!(bench.read_all(&small).await.len(), 3);
    bench.clock.advance(hour);
    bench.keep().await;
    assert_eq!(bench.read_all(&deep).await, Vec::<String>::new());
    assert_eq!(bench.read_all(&source).await.len(), 4, "the source has no rule");
}

/// A claim of the suite.
pub async fn the_first_rule_that_matches_holds_and_other_streams_keep_everything(subject: Subject) {
    let one = Keep { max_records: Some(1), ..Keep::default() };
    let rules = vec![rule("a/kept", Keep::default()), rule("a/*", one)];
    let bench = bench(subject, rules).await;
    let (kept, cut, other) =
        (bench.create("a/kept").await, bench.create("a/cut").await, bench.create("b").await);
    for at in [&kept, &cut, &other] {
        bench.log.append(at, Append::batch(records(0..5))).await.unwrap();
    }
    bench.keep().await;
    assert_eq!(bench.read_all(&kept).await.len(), 5);
    assert_eq!(bench.read_all(&cut).await, ["4"]);
    assert_eq!(bench.read_all(&other).await.len(), 5);
}

/// A claim of the suite.
pub async fn a_walk_over_many_streams_goes_in_bounded_rounds(subject: Subject) {
    let bench = bench(subject, vec![rule("**", Keep { max_records: Some(1), ..Keep::default() })]).await;
    let mut all = Vec::new();
    for n in 0..300 {
        let at = bench.create(&format!("s{n:03}")).await;
        bench.log.append(&at, Append::batch(records(0..2))).await.unwrap();
        all.push(at);
    }
    let cut = async || {
        let mut cut = 0;
        for at in &all {
            cut += usize::from(bench.log.lookup(at).await.unwrap().unwrap().start == offset(1));
        }
        cut
    };
    let due = bench.log.step(bench.clock.now()).await.unwrap();
    assert_eq!(cut().await, 256, "one round looks at 256 streams");
    assert!(due <= bench.clock.now().plus(Duration::from_secs(1)));
    bench.clock.advance(Duration::from_secs(1));
    bench.log.step(bench.clock.now()).await.unwrap();
    assert_eq!(cut().await, 300);
}
