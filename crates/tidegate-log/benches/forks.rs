//! Forks: making one of a short and of a long stream, and reading through a chain of ten.
//!
//! One element of `read` is one record that reached one reader; both streams hold the same records.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first thing that is wrong")]

use std::sync::Arc;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tidegate_db::{Db, DbOptions};
use tidegate_log::{Append, Log, LogOptions, NewFork, NewStream, SqliteLogStore, TailStep};
use tidegate_types::{ReadFrom, StreamPath, SystemClock};
use tokio::runtime::Runtime;

const RECORD: Bytes = Bytes::from_static(&[b'x'; 200]);
const RECORDS: usize = 10_000;
const BATCH: usize = 100;
const LINKS: usize = 10;
const WRITE_BYTES: usize = 65_536;

async fn open(dir: &tempfile::TempDir) -> Log {
    let db = Db::open(&dir.path().join("bench.db"), &DbOptions::default()).await.unwrap();
    let store = Arc::new(SqliteLogStore::open(db).await.unwrap());
    Log::open(store, LogOptions::default(), Arc::new(SystemClock)).await.unwrap()
}

async fn fill(log: &Log, path: &StreamPath, records: usize) {
    for _ in 0..records / BATCH {
        log.append(path, Append::batch(vec![RECORD; BATCH])).await.unwrap();
    }
}

async fn create(log: &Log, name: &str, records: usize) -> StreamPath {
    let path: StreamPath = name.parse().unwrap();
    let new = NewStream { content_type: "text/plain".to_owned(), ..NewStream::default() };
    log.create(&path, new).await.unwrap();
    fill(log, &path, records).await;
    path
}

async fn fork(log: &Log, source: &StreamPath, name: &str) -> StreamPath {
    let path: StreamPath = name.parse().unwrap();
    let fork = Some(NewFork { source: source.clone(), at: None, sub: 0 });
    log.create(&path, NewStream { fork, ..NewStream::default() }).await.unwrap();
    path
}

/// What it costs must not depend on how much is inherited.
fn make(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = runtime.block_on(open(&dir));
    let mut group = c.benchmark_group("fork");
    for records in [BATCH, RECORDS, 10 * RECORDS] {
        let source = runtime.block_on(create(&log, &format!("source/{records}"), records));
        let mut number = 0;
        group.bench_function(BenchmarkId::new("of-records", records), |b| {
            b.iter(|| {
                number += 1;
                runtime.block_on(fork(&log, &source, &format!("fork/{records}/{number}")))
            });
        });
    }
    group.finish();
    let _in_runtime = runtime.enter();
    drop(log);
}

async fn replay(log: &Log, path: &StreamPath) {
    let mut tail = log.tail(path, ReadFrom::Start).await.unwrap();
    let mut left = RECORDS;
    while left > 0 {
        if let TailStep::Frames { frames, .. } = tail.next(WRITE_BYTES).await.unwrap() {
            left = left.saturating_sub(frames.len());
        }
    }
}

/// The chain may cost a fifth more than the plain stream.
fn read(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = runtime.block_on(open(&dir));
    let plain = runtime.block_on(create(&log, "plain", RECORDS));
    let chain = runtime.block_on(async {
        let mut last = create(&log, "chain/0", RECORDS / (LINKS + 1) / BATCH * BATCH).await;
        for link in 1..=LINKS {
            last = fork(&log, &last, &format!("chain/{link}")).await;
            fill(&log, &last, RECORDS / (LINKS + 1) / BATCH * BATCH).await;
        }
        let missing =
            RECORDS - usize::try_from(log.lookup(&last).await.unwrap().unwrap().tail.get()).unwrap();
        fill(&log, &last, missing).await;
        last
    });
    let mut group = c.benchmark_group("read");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for (name, path) in [("plain", &plain), ("chain-of-10", &chain)] {
        group.bench_function(name, |b| b.iter(|| runtime.block_on(replay(&log, path))));
    }
    group.finish();
    let _in_runtime = runtime.enter();
    drop(log);
}

criterion_group!(benches, make, read);
criterion_main!(benches);
