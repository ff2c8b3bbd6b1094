//! Closing.

use super::{Bench, Subject, offset, records};
use crate::{Append, AppendError, Producer};

fn closing_by(id: &str, epoch: u64, seq: u64) -> Append {
    let producer = Some(Producer { id: id.to_owned(), epoch, seq });
    Append { producer, close: true, ..Append::one("last") }
}

/// A claim of the suite.
pub async fn a_closed_stream_takes_no_more_records(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.append(&at, "x").await;
    assert!(bench.log.append(&at, Append::close()).await.unwrap().closed);
    let closed = Err(AppendError::Closed { tail: offset(1) });
    assert_eq!(bench.log.append(&at, Append::one("y")).await, closed);
    assert_eq!(bench.log.append(&at, Append { close: true, ..Append::one("y") }).await, closed);
    let bench = bench.reopen().await;
    assert_eq!(bench.log.append(&at, Append::one("y")).await, closed);
    assert!(bench.log.lookup(&at).await.unwrap().unwrap().closed);
}

/// A claim of the suite.
pub async fn closing_twice_is_harmless(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    for _ in 0..2 {
        let closed = bench.log.append(&at, Append::close()).await.unwrap();
        assert!(closed.closed && !closed.duplicate);
        assert_eq!(closed.tail, offset(0));
    }
}

/// A claim of the suite.
pub async fn closing_with_last_records_is_one_step(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let last = Append { close: true, ..Append::batch(records(["x", "y"])) };
    let closed = bench.log.append(&at, last).await.unwrap();
    assert_eq!((closed.tail, closed.closed), (offset(2), true));
    let page = bench.page(&at, tidegate_types::ReadFrom::Start, 1).await;
    assert!(!page.closed, "only who has read all is told");
    assert_eq!(bench.read_all(&at).await, ["x", "y"]);
}

/// A claim of the suite.
pub async fn a_repeated_closing_append_is_a_duplicate(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, closing_by("p", 0, 0)).await.unwrap();
    let repeated = bench.log.append(&at, closing_by("p", 0, 0)).await.unwrap();
    assert!(repeated.duplicate && repeated.closed);
    let closed = Err(AppendError::Closed { tail: offset(1) });
    assert_eq!(bench.log.append(&at, closing_by("p", 0, 1)).await, closed);
    assert_eq!(bench.log.append(&at, closing_by("q", 0, 0)).await, closed);
    let alone = Append { records: Vec::new(), ..closing_by("q", 0, 0) };
    assert_eq!(bench.log.append(&at, alone).await, closed);
}

/// A claim of the suite.
pub async fn a_stale_producer_is_told_so_even_after_closing(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, closing_by("p", 7, 0)).await.unwrap();
    let stale = bench.log.append(&at, closing_by("p", 6, 0)).await;
    assert_eq!(stale, Err(AppendError::StaleEpoch { current: 7 }));
}

/// A claim of the suite.
pub async fn closing_alone_does_not_look_at_the_content_type(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let other = Append { content_type: Some("application/json".to_owned()), ..Append::close() };
    assert!(bench.log.append(&at, other).await.unwrap().closed);
}
