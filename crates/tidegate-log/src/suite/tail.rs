//! Live reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tidegate_types::{Offset, ReadFrom, StreamPath};

use super::{Bench, Subject, offset, path, records, text};
use crate::{Append, Framing, Gap, LogOptions, ReadError, Tail, TailStep};

const PLENTY: usize = 1 << 20;
/// Long enough for any machine: a wait that takes this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

async fn step(tail: &mut Tail) -> TailStep {
    tokio::time::timeout(PATIENCE, tail.next(PLENTY)).await.unwrap().unwrap()
}

/// Reads until so many records came, or the tail ended.
async fn take(tail: &mut Tail, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < count {
        let before = tail.cursor();
        match step(tail).await {
            TailStep::Frames { frames, .. } => {
                assert_eq!(frames.first().unwrap().offset, before.plus(1));
                assert_eq!(frames.last().unwrap().offset, tail.cursor());
                all.extend(frames.iter().map(|frame| text(&frame.data)));
            }
            TailStep::UpToDate => {}
            TailStep::Gap(_) | TailStep::Closed | TailStep::Deleted => return all,
        }
    }
    all
}

async fn open(bench: &Bench, at: &StreamPath, from: u64) -> Tail {
    bench.log.tail(at, ReadFrom::At(offset(from))).await.unwrap()
}

/// A claim of the suite.
pub async fn a_tail_replays_and_then_follows(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, Append::batch(records(0..10))).await.unwrap();
    let mut tail = open(&bench, &at, 4).await;
    assert_eq!(take(&mut tail, 6).await, ["4", "5", "6", "7", "8", "9"]);
    for n in 10..20 {
        bench.append(&at, &n.to_string()).await;
        assert_eq!(take(&mut tail, 1).await, [n.to_string()]);
    }
    let mut from_now = bench.log.tail(&at, ReadFrom::Tail).await.unwrap();
    bench.append(&at, "20").await;
    assert_eq!(take(&mut from_now, 1).await, ["20"]);
}

/// A claim of the suite.
pub async fn a_tail_at_the_end_says_so_once(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let mut tail = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    assert!(matches!(step(&mut tail).await, TailStep::UpToDate));
    assert!(tail.try_next(PLENTY).is_none());
    bench.append(&at, "x").await;
    assert!(matches!(step(&mut tail).await, TailStep::Frames { up_to_date: true, .. }));
    assert!(tail.try_next(PLENTY).is_none());
}

/// A claim of the suite.
pub async fn a_tail_ends_with_the_stream(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let mut tail = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    let last = Append { close: true, ..Append::batch(records(["x", "y"])) };
    bench.log.append(&at, last).await.unwrap();
    assert_eq!(take(&mut tail, 9).await, ["x", "y"], "the last records come before the end");
    assert!(matches!(step(&mut tail).await, TailStep::Closed));
    let mut late = open(&bench, &at, 2).await;
    assert!(matches!(step(&mut late).await, TailStep::Closed));
}

/// A claim of the suite.
pub async fn a_tail_is_told_of_a_deletion(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let mut waiting = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    assert!(matches!(step(&mut waiting).await, TailStep::UpToDate));
    let waiter = tokio::spawn(async move { step(&mut waiting).await });
    bench.log.delete(&at).await.unwrap();
    bench.create("a").await;
    bench.append(&at, "of the next stream").await;
    assert!(matches!(waiter.await.unwrap(), TailStep::Deleted));
}

/// A claim of the suite.
pub async fn a_tail_is_told_what_it_cannot_have(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.log.append(&at, Append::batch(records(0..10))).await.unwrap();
    bench.log.trim(&at, offset(5)).await.unwrap();
    let mut behind = open(&bench, &at, 2).await;
    let gap = Gap::Trimmed { from: offset(2), to: offset(5) };
    assert!(matches!(step(&mut behind).await, TailStep::Gap(told) if told == gap));
    assert_eq!(take(&mut behind, 2).await.first().unwrap(), "5");
    let mut ahead = open(&bench, &at, 99).await;
    let gap = Gap::CursorAhead { from: offset(99), to: offset(10) };
    assert!(matches!(step(&mut ahead).await, TailStep::Gap(told) if told == gap));
    assert_eq!(ahead.cursor(), offset(10));
    bench.append(&at, "10").await;
    assert_eq!(take(&mut ahead, 1).await, ["10"]);
    let missing = bench.log.tail(&path("b"), ReadFrom::Start).await;
    assert_eq!(missing.unwrap_err(), ReadError::NotFound);
}

/// A claim of the suite.
pub async fn a_tail_that_falls_out_of_the_ring_loses_nothing(subject: Subject) {
    let options = LogOptions { ring_records: 4, ring_bytes: 64, ..LogOptions::default() };
    let bench = Bench::with(subject, options).await;
    let at = bench.create("a").await;
    let mut slow = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    let mut fast = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    let mut expected = Vec::new();
    for n in 0..200 {
        let record = "x".repeat(n % 100) + &n.to_string();
        bench.append(&at, &record).await;
        assert_eq!(take(&mut fast, 1).await.first(), Some(&record));
        expected.push(record);
        if n % 50 == 49 {
            assert_eq!(take(&mut slow, 10).await.len() % 10, 0);
        }
    }
    let mut again = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    assert_eq!(take(&mut again, 200).await, expected);
}

/// A claim of the suite.
pub async fn a_dropped_wait_loses_nothing(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let mut tail = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    assert!(matches!(step(&mut tail).await, TailStep::UpToDate));
    let (log, writer_at) = (bench.log.clone(), at.clone());
    let writer = tokio::spawn(async move {
        for n in 0..200 {
            log.append(&writer_at, Append::one(n.to_string())).await.unwrap();
        }
    });
    let mut seen = Vec::new();
    let mut polls = 0_u32;
    while seen.len() < 200 {
        polls += 1;
        // Each wait is given up after a few polls of another future.
        let given_up = async {
            for _ in 0..polls % 5 {
                tokio::task::yield_now().await
            }
        };
        tokio::select! {
            biased;
            () = given_up => {}
            step = tail.next(16) => if let TailStep::Frames { frames, .. } = step.unwrap() {
                seen.extend(frames.iter().map(|frame| text(&frame.data)));
            },
        }
    }
    writer.await.unwrap();
    assert_eq!(seen, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// A claim of the suite.
pub async fn all_readers_see_the_same_list_under_many_writers(subject: Subject) {
    const WRITERS: usize = 64;
    const EACH: usize = 15;
    let options = LogOptions { ring_records: 32, ..LogOptions::default() };
    let bench = Arc::new(Bench::with(subject, options).await);
    let at = bench.create("a").await;
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..8_u64 {
        let (bench, at) = (Arc::clone(&bench), at.clone());
        readers.spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < WRITERS * EACH {
                // Some reconnect from their cursor over and over, at different strides.
                let from = u64::try_from(seen.len()).unwrap();
                let mut tail = open(&bench, &at, from).await;
                let stride = if reader % 2 == 0 { usize::MAX } else { 50 * usize::try_from(reader).unwrap() };
                let left = (WRITERS * EACH - seen.len()).min(stride);
                seen.extend(take(&mut tail, left).await);
            }
            seen
        });
    }
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (bench, at) = (Arc::clone(&bench), at.clone());
        writers.spawn(async move {
            for n in 0..EACH {
                bench.append(&at, &format!("{writer}-{n}")).await;
            }
        });
    }
    writers.join_all().await;
    let stored = bench.read_all(&at).await;
    assert_eq!(stored.len(), WRITERS * EACH);
    for seen in readers.join_all().await {
        assert_eq!(seen, stored);
    }
}

/// A claim of the suite.
pub async fn a_wait_ends_with_a_record_a_close_or_its_time(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let wait = |past: u64, timeout: Duration| {
        let (log, at) = (bench.log.clone(), at.clone());
        async move { log.wait_past(&at, offset(past), timeout).await }
    };
    let up = wait(0, Duration::from_millis(1)).await.unwrap();
    assert_eq!((up.tail, up.closed), (Offset::START, false));
    let waiter = tokio::spawn(wait(0, PATIENCE));
    bench.append(&at, "x").await;
    assert_eq!(waiter.await.unwrap().unwrap().tail, offset(1));
    assert_eq!(wait(0, PATIENCE).await.unwrap().tail, offset(1), "what is there is not waited for");
    let waiter = tokio::spawn(wait(1, PATIENCE));
    bench.log.append(&at, Append::close()).await.unwrap();
    assert!(waiter.await.unwrap().unwrap().closed);
    let at = bench.create("b").await;
    let (log, other) = (bench.log.clone(), at.clone());
    let mut watched = bench.log.tail(&at, ReadFrom::Start).await.unwrap();
    assert!(matches!(step(&mut watched).await, TailStep::UpToDate));
    let waiter = tokio::spawn(async move { log.wait_past(&other, offset(0), PATIENCE).await });
    bench.log.delete(&at).await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap_err(), ReadError::NotFound);
}

/// A claim of the suite.
pub async fn a_frame_is_encoded_once_for_all_readers(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let mut tails = Vec::new();
    for _ in 0..3 {
        tails.push(bench.log.tail(&at, ReadFrom::Tail).await.unwrap());
    }
    bench.append(&at, "x").await;
    let encodings = AtomicUsize::new(0);
    for tail in &mut tails {
        let frame = loop {
            if let TailStep::Frames { frames, .. } = step(tail).await {
                break frames.first().cloned().unwrap();
            }
        };
        for framing in [Framing::Events, Framing::DurableStreams] {
            let encoded = frame.encoded(framing, |frame| {
                encodings.fetch_add(1, Ordering::SeqCst);
                Bytes::from(format!("{framing:?} {}", text(&frame.data)))
            });
            assert_eq!(encoded, format!("{framing:?} x"));
        }
    }
    assert_eq!(encodings.load(Ordering::SeqCst), 2);
}
