//! Trim points.

use tidegate_types::ReadFrom;

use super::{Bench, Subject, offset, path, records};
use crate::{Append, Gap};

/// A claim of the suite.
pub async fn a_trimmed_range_is_told_once_and_skipped(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, Append::batch(records(0..10))).await.unwrap();
    assert_eq!(bench.log.trim(&at, offset(4)).await.unwrap(), Some(offset(4)));
    assert_eq!(bench.log.trim(&at, offset(2)).await.unwrap(), Some(offset(4)), "it never goes back");
    assert_eq!(bench.log.trim(&path("b"), offset(2)).await.unwrap(), None);
    let page = bench.page(&at, ReadFrom::At(offset(1)), 2).await;
    assert_eq!(page.gap, Some(Gap::Trimmed { from: offset(1), to: offset(4) }));
    assert_eq!((page.from, page.next), (offset(4), offset(6)));
    assert_eq!(bench.page(&at, ReadFrom::At(page.next), 2).await.gap, None);
    assert_eq!(bench.read_all(&at).await, ["4", "5", "6", "7", "8", "9"]);
}

/// A claim of the suite.
pub async fn trimming_everything_keeps_the_tail(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, Append::batch(records(0..10))).await.unwrap();
    assert_eq!(bench.log.trim(&at, offset(99)).await.unwrap(), Some(offset(10)));
    bench.housekeep().await;
    let bench = bench.reopen().await;
    let info = bench.log.lookup(&at).await.unwrap().unwrap();
    assert_eq!((info.start, info.tail), (offset(10), offset(10)));
    assert_eq!(bench.append(&at, "10").await, offset(11));
    assert_eq!(bench.read_all(&at).await, ["10"]);
}

/// A claim of the suite.
pub async fn purging_removes_only_what_nobody_can_read(subject: Subject) {
    let bench = Bench::open(subject).await;
    let (at, other) = (bench.create("a").await, bench.create("b").await);
    for n in 0..5 {
        bench.log.append(&at, Append::batch(records(n * 4..n * 4 + 4))).await.unwrap();
        bench.append(&other, "x").await;
    }
    bench.log.trim(&at, offset(10)).await.unwrap();
    bench.housekeep().await;
    let expected: Vec<String> = (10..20).map(|n| n.to_string()).collect();
    assert_eq!(bench.read_all(&at).await, expected);
    bench.log.delete(&other).await.unwrap();
    bench.housekeep().await;
    let bench = bench.reopen().await;
    assert_eq!(bench.read_all(&at).await, expected);
}
