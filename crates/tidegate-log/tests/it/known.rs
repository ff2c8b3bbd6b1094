//! Streams that are opened again and again: without the store, and never as they were before what was answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidegate_db::DbError;
use tidegate_log::store::{Fault, FaultyStore};
use tidegate_log::suite::{Bench, ManualClock, Subject, bytes_stream, path};
use tidegate_log::{Append, LogOptions, NewStream, ReadError, TailStep};
use tidegate_types::{Offset, ReadFrom, StreamPath};

struct Watched {
    bench: Bench,
    faults: FaultyStore,
    at: StreamPath,
}

/// A stream that is known: it was looked up often enough.
async fn known(new: NewStream) -> Watched {
    let Subject { store, keep } = crate::stores::sqlite().await;
    let faults = FaultyStore::around(store);
    let subject = Subject { store: Arc::new(faults.clone()), keep };
    let bench = Bench::with(subject, LogOptions::default()).await;
    let at = path("a");
    bench.log.create(&at, new).await.unwrap();
    bench.append(&at, "x").await;
    bench.append(&at, "y").await;
    for _ in 0..3 {
        drop(bench.log.tail(&at, ReadFrom::Start).await.unwrap());
    }
    let watched = Watched { bench, faults, at };
    assert_eq!(watched.looks_of_an_open().await, 0, "it is known");
    watched
}

impl Watched {
    async fn open(&self) -> Result<tidegate_log::Tail, ReadError> {
        self.bench.log.tail(&self.at, ReadFrom::Tail).await
    }

    async fn looks_of_an_open(&self) -> usize {
        let before = self.faults.looks();
        self.open().await.unwrap();
        self.faults.looks() - before
    }
}

#[tokio::test]
async fn what_one_reader_read_from_the_store_is_at_hand_for_the_next() {
    let watched = known(bytes_stream()).await;
    let start = || watched.bench.log.tail(&watched.at, ReadFrom::Start);
    let mut first = start().await.unwrap();
    let _gathered = (first.fork(), first.fork());
    assert!(first.at_hand(1_000).is_none(), "nobody has read it yet");
    assert!(first.page(1_000).await.unwrap().is_some());
    let mut next = start().await.unwrap();
    assert!(next.at_hand(0).is_none(), "one byte is more than none");
    let (frames, up_to_date) = next.at_hand(1).unwrap();
    assert_eq!((frames.len(), up_to_date, next.cursor()), (1, false, offset(1)));
    assert!(next.at_hand(2).unwrap().1);
    assert!(next.at_hand(1_000).is_none(), "and only once");
    watched.bench.log.trim(&watched.at, offset(1)).await.unwrap();
    let mut behind = watched.bench.log.tail(&watched.at, ReadFrom::At(offset(0))).await.unwrap();
    assert!(behind.at_hand(1_000).is_none(), "the gap is told first");
    assert!(matches!(behind.try_next(1_000), Some(TailStep::Gap(_))));
    assert_eq!(behind.at_hand(1_000).unwrap().0.len(), 1);
    let mut late = start().await.unwrap();
    watched.bench.log.delete(&watched.at).await.unwrap();
    assert!(matches!(first.next(1_000).await.unwrap(), TailStep::Deleted));
    assert!(late.at_hand(1_000).is_none(), "the end is told first");
}

fn offset(n: u64) -> Offset {
    Offset::new(n).unwrap()
}

#[tokio::test]
async fn the_first_open_asks_the_store_once_and_one_of_a_known_stream_does_not() {
    let watched = known(bytes_stream()).await;
    watched.bench.create("b").await;
    let before = watched.faults.looks();
    drop(watched.bench.log.tail(&path("b"), ReadFrom::Start).await.unwrap());
    assert_eq!(watched.faults.looks() - before, 1);
    assert_eq!(watched.looks_of_an_open().await, 0);
}

#[tokio::test]
async fn an_open_from_memory_sees_an_append_a_trim_and_a_close_that_were_answered() {
    let watched = known(bytes_stream()).await;
    let (log, at) = (&watched.bench.log, &watched.at);
    watched.bench.append(at, "z").await;
    assert_eq!(watched.open().await.unwrap().info().tail, offset(3));
    log.trim(at, offset(2)).await.unwrap();
    assert_eq!(watched.open().await.unwrap().info().start, offset(2));
    let closing = Append { close: true, ..Append::batch(Vec::<Bytes>::new()) };
    log.append(at, closing).await.unwrap();
    let mut tail = watched.open().await.unwrap();
    assert!(tail.info().closed);
    assert!(matches!(tail.try_next(1), Some(TailStep::Closed)));
    assert_eq!(watched.looks_of_an_open().await, 0, "and all of that in memory");
}

#[tokio::test]
async fn a_deleted_stream_is_not_opened_from_memory_and_one_made_again_is_another() {
    let watched = known(bytes_stream()).await;
    let (log, at) = (&watched.bench.log, &watched.at);
    let before = log.find(at).await.unwrap().id;
    assert!(log.delete(at).await.unwrap());
    assert_eq!(watched.open().await.unwrap_err(), ReadError::NotFound);
    log.create(at, bytes_stream()).await.unwrap();
    let again = watched.open().await.unwrap();
    assert_ne!(again.info().id, before);
    assert_eq!(again.info().tail, offset(0));
}

#[tokio::test]
async fn a_deleted_source_of_forks_is_gone_for_an_open_from_memory() {
    let watched = known(bytes_stream()).await;
    let (log, at) = (&watched.bench.log, &watched.at);
    let fork = tidegate_log::NewFork { source: at.clone(), at: None, sub: 0 };
    log.create(&path("f"), NewStream { fork: Some(fork), ..bytes_stream() }).await.unwrap();
    assert!(log.delete(at).await.unwrap());
    assert_eq!(watched.open().await.unwrap_err(), ReadError::Gone);
}

#[tokio::test]
async fn a_life_ends_for_an_open_from_memory_and_is_renewed_by_one() {
    const LIFE: Duration = Duration::from_secs(100);
    let watched = known(NewStream { ttl: Some(LIFE), ..bytes_stream() }).await;
    for _ in 0..4 {
        watched.bench.clock.advance(LIFE * 6 / 10);
        assert_eq!(watched.looks_of_an_open().await, 0, "each open renews it");
        watched.bench.housekeep().await;
    }
    watched.bench.clock.advance(LIFE);
    assert_eq!(watched.open().await.unwrap_err(), ReadError::NotFound);
    let ends = ManualClock::shared().now_plus(LIFE);
    let watched = known(NewStream { expires_at: Some(ends), ..bytes_stream() }).await;
    watched.bench.clock.advance(LIFE);
    assert_eq!(watched.open().await.unwrap_err(), ReadError::NotFound, "an expiry time is not moved");
}

#[tokio::test]
async fn a_commit_that_may_have_been_made_is_looked_up() {
    let watched = known(bytes_stream()).await;
    watched.faults.next_group(Fault::After(DbError::Unavailable("planted".to_owned())));
    watched.bench.log.delete(&watched.at).await.unwrap_err();
    assert_eq!(watched.open().await.unwrap_err(), ReadError::NotFound);
}

/// What is known is not older than what was answered, whatever is committed and looked up meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_between_commits_never_see_less_than_was_answered() {
    let watched = Arc::new(known(bytes_stream()).await);
    let opening = Arc::clone(&watched);
    let others = tokio::spawn(async move {
        for _ in 0..2_000 {
            opening.open().await.unwrap();
        }
    });
    for n in 0..300 {
        if n % 50 == 49 {
            // Forgotten, and learned again in between.
            watched.faults.next_group(Fault::After(DbError::Unavailable("planted".to_owned())));
            let _ = watched.bench.log.append(&watched.at, Append::one("x")).await;
        }
        let tail = watched.bench.append(&watched.at, "x").await;
        let open = watched.open().await.unwrap();
        assert!(open.info().tail >= tail && open.cursor() >= tail);
        let past = watched.bench.log.wait_past(&watched.at, tail, Duration::ZERO).await.unwrap();
        assert!(past.tail >= tail);
    }
    others.await.unwrap();
}
