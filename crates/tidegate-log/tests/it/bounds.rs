//! What must not grow.

use tidegate_log::LogOptions;
use tidegate_log::suite::{Bench, path};
use tidegate_types::ReadFrom;

use crate::stores::sqlite;

#[tokio::test]
async fn more_streams_than_heads_are_written_correctly() {
    let bench = Bench::with(sqlite().await, LogOptions { heads: 4, ..LogOptions::default() }).await;
    for n in 0..40 {
        bench.create(&format!("s/{n}")).await;
    }
    for round in 1..=3 {
        for n in 0..40 {
            assert_eq!(bench.append(&path(&format!("s/{n}")), "x").await.get(), round);
        }
    }
}

#[tokio::test]
async fn a_page_never_exceeds_the_logs_own_bound() {
    let options = LogOptions { read_records: 3, ..LogOptions::default() };
    let bench = Bench::with(sqlite().await, options).await;
    let at = bench.create("a").await;
    for _ in 0..10 {
        bench.append(&at, "x").await;
    }
    assert_eq!(bench.page(&at, ReadFrom::Start, usize::MAX).await.records.len(), 3);
}
