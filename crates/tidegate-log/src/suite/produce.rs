//! Idempotent producers.

use super::{Bench, Subject, records};
use crate::{Append, AppendError, LogOptions, Producer, ProducerAck};

fn by(id: &str, epoch: u64, seq: u64) -> Append {
    let producer = Some(Producer { id: id.to_owned(), epoch, seq });
    Append { producer, ..Append::one(format!("{id}{epoch}.{seq}")) }
}

/// A claim of the suite.
pub async fn a_producer_begins_at_zero_and_goes_on_without_gaps(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let gap = |expected, received| Err(AppendError::ProducerGap { expected, received });
    assert_eq!(bench.log.append(&at, by("p", 0, 1)).await, gap(0, 1));
    let appended = bench.log.append(&at, by("p", 0, 0)).await.unwrap();
    assert_eq!(appended.producer, Some(ProducerAck { epoch: 0, seq: 0 }));
    assert_eq!(bench.log.append(&at, by("p", 0, 2)).await, gap(1, 2));
    bench.log.append(&at, by("p", 0, 1)).await.unwrap();
    assert_eq!(bench.read_all(&at).await, ["p0.0", "p0.1"]);
}

/// A claim of the suite.
pub async fn a_repeated_append_is_acknowledged_and_not_written(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    for seq in 0..3 {
        bench.log.append(&at, by("p", 4, seq)).await.unwrap();
    }
    for seq in 0..3 {
        let with_seq = Append { seq: Some("a".to_owned()), ..by("p", 4, seq) };
        let repeated = bench.log.append(&at, with_seq).await.unwrap();
        assert!(repeated.duplicate);
        assert_eq!(repeated.producer, Some(ProducerAck { epoch: 4, seq: 2 }), "the highest accepted number");
        assert_eq!(repeated.tail.get(), 3);
    }
    assert_eq!(bench.read_all(&at).await.len(), 3);
}

/// A claim of the suite.
pub async fn a_new_epoch_begins_at_zero_and_fences_the_old_one(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, by("p", 0, 0)).await.unwrap();
    assert_eq!(bench.log.append(&at, by("p", 1, 1)).await, Err(AppendError::EpochStart));
    bench.log.append(&at, by("p", 5, 0)).await.unwrap();
    for epoch in 0..5 {
        assert_eq!(
            bench.log.append(&at, by("p", epoch, 0)).await,
            Err(AppendError::StaleEpoch { current: 5 })
        );
    }
    bench.log.append(&at, by("p", 5, 1)).await.unwrap();
    assert_eq!(bench.read_all(&at).await, ["p0.0", "p5.0", "p5.1"]);
}

/// A claim of the suite.
pub async fn producers_do_not_disturb_each_other(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let elsewhere = bench.create("b").await;
    for seq in 0..3 {
        for id in ["p", "q"] {
            bench.log.append(&at, by(id, 0, seq)).await.unwrap();
        }
    }
    assert!(!bench.log.append(&elsewhere, by("p", 0, 0)).await.unwrap().duplicate);
    assert_eq!(bench.read_all(&at).await.len(), 6);
}

/// A claim of the suite.
pub async fn producers_are_remembered_after_a_restart(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, by("p", 3, 0)).await.unwrap();
    let bench = bench.reopen().await;
    assert!(bench.log.append(&at, by("p", 3, 0)).await.unwrap().duplicate);
    assert_eq!(bench.log.append(&at, by("p", 2, 0)).await, Err(AppendError::StaleEpoch { current: 3 }));
    bench.log.append(&at, by("p", 3, 1)).await.unwrap();
    assert_eq!(bench.read_all(&at).await, ["p3.0", "p3.1"]);
}

/// A claim of the suite.
pub async fn the_longest_idle_producers_are_forgotten_beyond_the_bound(subject: Subject) {
    let options = LogOptions { producers_per_stream: 16, ..LogOptions::default() };
    let bench = Bench::with(subject, options).await;
    let at = bench.create("a").await;
    for n in 0..100 {
        bench.clock.advance(std::time::Duration::from_millis(1));
        bench.log.append(&at, by(&format!("p{n}"), 0, 0)).await.unwrap();
    }
    let bench = bench.reopen().await;
    assert!(bench.log.append(&at, by("p99", 0, 0)).await.unwrap().duplicate, "the newest are remembered");
    assert!(!bench.log.append(&at, by("p0", 0, 0)).await.unwrap().duplicate, "the oldest are not");
}

/// A claim of the suite.
pub async fn repeated_numbers_in_one_group_are_written_once(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (log, at) = (bench.log.clone(), at.clone());
        racers.spawn(async move {
            let batch = Append { records: records(0..3), ..by("p", 0, 0) };
            log.append(&at, batch).await.unwrap().duplicate
        });
    }
    let duplicates = racers.join_all().await.into_iter().filter(|duplicate| *duplicate).count();
    assert_eq!((duplicates, bench.read_all(&at).await.len()), (63, 3));
}
