//! Commits that fail, or seem to.

use std::sync::Arc;

use tidegate_db::DbError;
use tidegate_log::store::{Fault, FaultyStore};
use tidegate_log::suite::{Bench, Subject};
use tidegate_log::{Append, AppendError, LogOptions, Producer, TailStep};
use tidegate_types::ReadFrom;

use crate::stores::sqlite;

async fn faulty(options: LogOptions) -> (Bench, FaultyStore) {
    let Subject { store, keep } = sqlite().await;
    let faults = FaultyStore::around(store);
    let subject = Subject { store: Arc::new(faults.clone()), keep };
    (Bench::with(subject, options).await, faults)
}

#[tokio::test]
async fn a_failed_commit_leaves_no_phantom() {
    let (bench, faults) = faulty(LogOptions::default()).await;
    let at = bench.create("a").await;
    bench.append(&at, "1").await;
    let mut tail = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    faults.next_group(Fault::Before(DbError::StorageFull));
    let refused = bench.log.append(&at, Append { close: true, ..Append::one("lost") }).await;
    assert_eq!(refused, Err(AppendError::from(DbError::StorageFull)));
    assert_eq!(bench.append(&at, "2").await.get(), 2, "the offset of the lost record is used again");
    assert_eq!(bench.read_all(&at).await, ["1", "2"]);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        if let TailStep::Frames { frames, .. } = tail.next(1_000).await.unwrap() {
            seen.extend(frames.iter().map(|frame| frame.data.clone()));
        }
    }
    assert_eq!(seen, ["1", "2"]);
}

#[tokio::test]
async fn a_failed_creation_or_deletion_did_not_happen() {
    let (bench, faults) = faulty(LogOptions::default()).await;
    faults.next_group(Fault::Before(DbError::StorageFull));
    let at = tidegate_log::suite::path("a");
    assert!(bench.log.create(&at, tidegate_log::NewStream::json()).await.is_err());
    assert_eq!(bench.log.append(&at, Append::one("x")).await, Err(AppendError::NotFound));
    bench.create("a").await;
    faults.next_group(Fault::Before(DbError::StorageFull));
    assert!(bench.log.delete(&at).await.is_err());
    bench.append(&at, "x").await;
}

#[tokio::test]
async fn a_commit_that_is_wrongly_reported_as_failed_is_seen_by_tails_and_retried_harmlessly() {
    let (bench, faults) = faulty(LogOptions::default()).await;
    let at = bench.create("a").await;
    let mut tail = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    assert!(matches!(tail.next(100).await.unwrap(), TailStep::UpToDate));
    faults.next_group(Fault::After(DbError::Unavailable("planted".to_owned())));
    let producer = Some(Producer { id: "p".to_owned(), epoch: 0, seq: 0 });
    let append = Append { producer, ..Append::one("x") };
    assert!(bench.log.append(&at, append.clone()).await.is_err());
    let TailStep::Frames { frames, .. } = tail.next(100).await.unwrap() else { panic!("no record") };
    assert_eq!(frames.len(), 1);
    assert!(bench.log.append(&at, append).await.unwrap().duplicate);
    assert_eq!(bench.append(&at, "y").await.get(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_constant_faults_every_acknowledged_append_stands_where_it_was_told() {
    let (bench, faults) = faulty(LogOptions::default()).await;
    let at = bench.create("a").await;
    let bench = Arc::new(bench);
    let mut tail = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    faults.fail_every(3);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let (bench, at) = (Arc::clone(&bench), at.clone());
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for n in 0..40 {
                let record = format!("{writer}-{n}");
                if let Ok(appended) = bench.log.append(&at, Append::one(record.clone())).await {
                    acknowledged.push((appended.tail.get(), record));
                }
            }
            acknowledged
        });
    }
    let acknowledged: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    let stored = bench.read_all(&at).await;
    assert!(acknowledged.len() < 640 && !acknowledged.is_empty(), "some failed, some did not");
    for (offset, record) in &acknowledged {
        assert_eq!(&stored[usize::try_from(*offset).unwrap() - 1], record);
    }
    let mut seen = Vec::new();
    while seen.len() < stored.len() {
        if let TailStep::Frames { frames, .. } = tail.next(1_000).await.unwrap() {
            seen.extend(frames.iter().map(|frame| String::from_utf8_lossy(&frame.data).into_owned()));
        }
    }
    assert_eq!(seen, stored);
}

#[tokio::test]
async fn the_queue_is_bounded_in_writes_and_bytes() {
    let options = LogOptions { queue_writes: 4, queue_bytes: 10_000, ..LogOptions::default() };
    let (bench, faults) = faulty(options).await;
    let at = bench.create("a").await;
    for (size, fit) in [(1, 4), (4_000, 2)] {
        faults.hold();
        let mut writers = Vec::new();
        for _ in 0..8 {
            let (log, at) = (bench.log.clone(), at.clone());
            writers.push(tokio::spawn(async move { log.append(&at, Append::one(vec![b'x'; size])).await }));
        }
        // Refused ones answer while the others are held.
        tokio::task::yield_now().await;
        faults.release();
        let mut accepted = 0;
        for writer in writers {
            match writer.await.unwrap() {
                Ok(_) => accepted += 1,
                Err(error) => assert_eq!(error, AppendError::Overloaded),
            }
        }
        assert_eq!(accepted, fit);
    }
}
