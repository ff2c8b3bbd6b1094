//! Reading pages.

use bytes::Bytes;
use tidegate_types::ReadFrom;

use super::{Bench, Subject, check_page, offset, path, records};
use crate::{Append, Gap, ReadBound, ReadError};

/// A claim of the suite.
pub async fn pages_follow_each_other_without_holes(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    for n in 0..10 {
        bench.log.append(&at, Append::batch(records(n * 10..n * 10 + 10))).await.unwrap();
    }
    let all: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(bench.read_all(&at).await, all);
    for from in 0..=100 {
        let page = bench.page(&at, ReadFrom::At(offset(from)), 3).await;
        check_page(&page);
        let got: Vec<String> = page.records.iter().map(|r| super::text(&r.data)).collect();
        assert_eq!(got, all.iter().skip(usize::try_from(from).unwrap()).take(3).cloned().collect::<Vec<_>>());
    }
    let missing = bench.log.read(&path("b"), ReadFrom::Start, ReadBound { records: 1, bytes: 1 }).await;
    assert_eq!(missing.unwrap_err(), ReadError::NotFound);
}

/// A claim of the suite.
pub async fn a_page_is_bounded_by_bytes_but_never_empty(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, Append::batch(vec![Bytes::from(vec![b'x'; 100]); 10])).await.unwrap();
    let sizes = |bytes| {
        let read = bench.log.read(&at, ReadFrom::Start, ReadBound { records: 100, bytes });
        async { read.await.unwrap().records.len() }
    };
    assert_eq!((sizes(0).await, sizes(99).await, sizes(250).await, sizes(5_000).await), (1, 1, 2, 10));
}

/// A claim of the suite.
pub async fn a_cursor_ahead_of_the_stream_is_told(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.append(&at, "x").await;
    let page = bench.page(&at, ReadFrom::At(offset(9)), 10).await;
    assert_eq!(page.gap, Some(Gap::CursorAhead { from: offset(9), to: offset(1) }));
    assert!(page.records.is_empty() && page.up_to_date);
    assert_eq!(page.next, offset(1));
}

/// A claim of the suite.
pub async fn reading_from_now_gives_only_the_tail(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.append(&at, "x").await;
    let page = bench.page(&at, ReadFrom::Tail, 10).await;
    assert!(page.records.is_empty() && page.up_to_date && page.gap.is_none());
    assert_eq!(page.next, offset(1));
}

/// A claim of the suite.
pub async fn large_records_and_large_batches_come_back_as_they_were(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let sizes = [1, 127, 128, 16_383, 16_384, 65_535, 65_536, 300_000, 1, 1_000_000, 2];
    let batch: Vec<Bytes> = (0_u8..).zip(sizes).map(|(n, size)| Bytes::from(vec![n; size])).collect();
    bench.log.append(&at, Append::batch(batch.clone())).await.unwrap();
    bench.append(&at, "after").await;
    let mut read = Vec::new();
    let mut from = ReadFrom::Start;
    loop {
        let page = bench.log.read(&at, from, ReadBound { records: 100, bytes: 200_000 }).await.unwrap();
        check_page(&page);
        read.extend(page.records.into_iter().map(|record| record.data));
        if page.up_to_date {
            break;
        }
        from = ReadFrom::At(page.next);
    }
    assert_eq!(read.pop(), Some(Bytes::from("after")));
    assert_eq!(read, batch);
}

/// A claim of the suite.
pub async fn everything_is_there_after_a_restart(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    for n in 0..50 {
        bench.append(&at, &n.to_string()).await;
    }
    let before = bench.log.lookup(&at).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.log.lookup(&at).await.unwrap(), before);
    assert_eq!(bench.append(&at, "50").await, offset(51));
    assert_eq!(bench.read_all(&at).await.len(), 51);
}
