//! Reading: replay of 10,000 records (written in batches and one by one), and fan-out to live tails.
//!
//! One element is one record that reached one reader.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first thing that is wrong")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tidegate_db::{Db, DbOptions};
use tidegate_log::{Append, Log, LogOptions, NewStream, SqliteLogStore, Tail, TailStep};
use tidegate_types::{ReadFrom, StreamPath, SystemClock};
use tokio::runtime::Runtime;

const RECORD: Bytes = Bytes::from_static(&[b'x'; 200]);
const RECORDS: u64 = 10_000;
const WRITE_BYTES: usize = 65_536;

async fn open(dir: &tempfile::TempDir, path: &StreamPath) -> Log {
    let db = Db::open(&dir.path().join("bench.db"), &DbOptions::default()).await.unwrap();
    let store = Arc::new(SqliteLogStore::open(db).await.unwrap());
    let log = Log::open(store, LogOptions::default(), Arc::new(SystemClock)).await.unwrap();
    let new = NewStream { content_type: "text/plain".to_owned(), ..NewStream::default() };
    log.create(path, new).await.unwrap();
    log
}

/// Reads so many records.
async fn follow(tail: &mut Tail, records: u64) {
    let mut left = records;
    while left > 0 {
        if let TailStep::Frames { frames, .. } = tail.next(WRITE_BYTES).await.unwrap() {
            left = left.saturating_sub(u64::try_from(frames.len()).unwrap());
        }
    }
}

fn replay(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let path: StreamPath = "bench/replay".parse().unwrap();
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(RECORDS));
    for batch in [1, 100] {
        let dir = tempfile::tempdir().unwrap();
        let log = runtime.block_on(open(&dir, &path));
        runtime.block_on(async {
            for _ in 0..RECORDS / batch {
                let records = vec![RECORD; usize::try_from(batch).unwrap()];
                log.append(&path, Append::batch(records)).await.unwrap();
            }
        });
        group.bench_function(BenchmarkId::new("records-per-append", batch), |b| {
            b.iter(|| {
                runtime.block_on(async {
                    let mut tail = log.tail(&path, ReadFrom::Start).await.unwrap();
                    follow(&mut tail, RECORDS).await;
                });
            });
        });
        let _in_runtime = runtime.enter();
        drop(log);
    }
    group.finish();
}

/// Every tail reads every record; the writer waits for each commit, but not for the readers.
async fn deliver(log: &Log, path: &StreamPath, tails: u64, records: u64) -> Duration {
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..tails {
        let mut tail = log.tail(path, ReadFrom::Tail).await.unwrap();
        readers.spawn(async move { follow(&mut tail, records).await });
    }
    let started = Instant::now();
    for _ in 0..records {
        log.append(path, Append::one(RECORD)).await.unwrap();
    }
    readers.join_all().await;
    started.elapsed()
}

fn fan_out(c: &mut Criterion) {
    const TAILS: u64 = 1_000;
    let runtime = Runtime::new().unwrap();
    let path: StreamPath = "bench/live".parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = runtime.block_on(open(&dir, &path));
    let mut group = c.benchmark_group("fan-out");
    group.throughput(Throughput::Elements(TAILS));
    group.sample_size(10);
    group.bench_function(BenchmarkId::new("tails", TAILS), |b| {
        b.iter_custom(|records| runtime.block_on(deliver(&log, &path, TAILS, records)));
    });
    group.finish();
    let _in_runtime = runtime.enter();
    drop(log);
}

criterion_group!(benches, replay, fan_out);
criterion_main!(benches);
