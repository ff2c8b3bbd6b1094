//! Durable appends: 1, 16 and 64 writers in a closed loop, on one stream and on one stream each.
//!
//! `synchronous=FULL` on a file in a temporary folder: every append is on stable storage when it is
//! answered. One element is one append of one record of 200 bytes.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first thing that is wrong")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tidegate_db::{Db, DbOptions};
use tidegate_log::{Append, Log, LogOptions, NewStream, SqliteLogStore};
use tidegate_types::{StreamPath, SystemClock};
use tokio::runtime::Runtime;

const RECORD: Bytes = Bytes::from_static(&[b'x'; 200]);

async fn open(dir: &tempfile::TempDir) -> Log {
    let db = Db::open(&dir.path().join("bench.db"), &DbOptions::default()).await.unwrap();
    let store = Arc::new(SqliteLogStore::open(db).await.unwrap());
    Log::open(store, LogOptions::default(), Arc::new(SystemClock)).await.unwrap()
}

/// All writers together make this many appends.
async fn run(log: &Log, paths: &[StreamPath], appends: u64) -> Duration {
    let started = Instant::now();
    let writers = u64::try_from(paths.len()).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for (n, path) in (0..).zip(paths.iter().cloned()) {
        let log = log.clone();
        let mine = appends / writers + u64::from(n < appends % writers);
        tasks.spawn(async move {
            for _ in 0..mine {
                log.append(&path, Append::one(RECORD)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    started.elapsed()
}

fn append(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("append");
    group.throughput(Throughput::Elements(1));
    for (shape, writers) in [("one-stream", 1), ("one-stream", 16), ("one-stream", 64), ("own-stream", 64)] {
        let dir = tempfile::tempdir().unwrap();
        let log = runtime.block_on(open(&dir));
        let paths: Vec<StreamPath> = (0..writers)
            .map(|n| format!("bench/{}", if shape == "one-stream" { 0 } else { n }).parse().unwrap())
            .collect();
        for path in &paths {
            let new = NewStream { content_type: "text/plain".to_owned(), ..NewStream::default() };
            runtime.block_on(log.create(path, new)).unwrap();
        }
        group.bench_function(BenchmarkId::new(shape, writers), |b| {
            b.iter_custom(|appends| runtime.block_on(run(&log, &paths, appends)));
        });
        let _in_runtime = runtime.enter();
        drop(log);
    }
    group.finish();
}

criterion_group!(benches, append);
criterion_main!(benches);
