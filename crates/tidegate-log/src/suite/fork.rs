//! Forks: what they inherit, what they don't, and what stays when their source goes.

use std::time::Duration;

use tidegate_types::{Offset, ReadFrom, StreamPath};

use super::{Bench, Subject, bytes_stream, check_page, offset, path, records, text};
use crate::{
    Append, AppendError, CreateError, Gap, LogOptions, NewFork, NewStream, Producer, ReadError, TailStep,
};

/// A stream that begins with the records of another.
fn fork_of(source: &StreamPath, at: Option<u64>, sub: u64) -> NewStream {
    NewStream {
        fork: Some(NewFork { source: source.clone(), at: at.map(offset), sub }),
        ..NewStream::default()
    }
}

impl Bench {
    /// Forks a stream.
    pub async fn fork(&self, source: &StreamPath, at: Option<u64>, sub: u64, name: &str) -> StreamPath {
        let made = self.log.create(&path(name), fork_of(source, at, sub)).await.unwrap();
        assert!(!made.existed);
        path(name)
    }

    async fn refusal(&self, source: &StreamPath, at: Option<u64>, sub: u64) -> CreateError {
        self.log.create(&path("refused"), fork_of(source, at, sub)).await.unwrap_err()
    }

    async fn ten(&self, name: &str) -> StreamPath {
        let at = self.create(name).await;
        for n in 0..5 {
            self.log.append(&at, Append::batch(records(n * 2..n * 2 + 2))).await.unwrap();
        }
        at
    }
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// A claim of the suite.
pub async fn a_fork_begins_with_its_sources_records_and_goes_on_alone(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.ten("source").await;
    let fork = bench.fork(&source, Some(3), 0, "fork").await;
    let head = bench.fork(&source, None, 0, "head").await;
    let empty = bench.fork(&source, Some(0), 0, "empty").await;
    bench.append(&source, "after").await;
    assert_eq!(bench.append(&fork, "own").await, offset(4));
    let mut expected = numbers(0..3);
    expected.push("own".to_owned());
    assert_eq!(bench.read_all(&fork).await, expected);
    assert_eq!(bench.read_all(&head).await, numbers(0..10));
    assert_eq!(bench.read_all(&empty).await, Vec::<String>::new());
    assert_eq!(bench.read_all(&source).await.len(), 11);
    let info = bench.log.lookup(&fork).await.unwrap().unwrap();
    assert_eq!((&*info.content_type, info.start, info.tail), ("text/plain", Offset::START, offset(4)));
    let bench = bench.reopen().await;
    assert_eq!(bench.read_all(&fork).await, expected);
    assert_eq!(bench.append(&fork, "more").await, offset(5));
}

/// A claim of the suite.
pub async fn every_page_of_a_fork_follows_the_one_before(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.ten("source").await;
    let fork = bench.fork(&source, Some(5), 0, "fork").await;
    bench.log.append(&fork, Append::batch(records(5..9))).await.unwrap();
    for from in 0..=9 {
        for size in 1..=9 {
            let page = bench.page(&fork, ReadFrom::At(offset(from)), size).await;
            check_page(&page);
            let read: Vec<String> = page.records.iter().map(|record| text(&record.data)).collect();
            let from = u32::try_from(from).unwrap();
            let end = (from + u32::try_from(size).unwrap()).min(9);
            assert_eq!(read, numbers(from..end));
        }
    }
}

/// A claim of the suite.
pub async fn forks_of_forks_read_through_the_whole_chain(subject: Subject) {
    let bench = Bench::open(subject).await;
    let mut last = bench.create("0").await;
    bench.append(&last, "0").await;
    for n in 1..30 {
        last = bench.fork(&last, None, 0, &n.to_string()).await;
        bench.append(&last, &n.to_string()).await;
    }
    assert_eq!(bench.read_all(&last).await, numbers(0..30));
    // One that leaves within what it inherits, deep down in the chain.
    let early = bench.fork(&last, Some(7), 0, "early").await;
    bench.append(&early, "own").await;
    let mut expected = numbers(0..7);
    expected.push("own".to_owned());
    assert_eq!(bench.read_all(&early).await, expected);
    let late = bench.fork(&early, None, 0, "late").await;
    assert_eq!(bench.read_all(&late).await, expected);
}

/// A claim of the suite.
pub async fn a_chain_of_forks_has_a_greatest_length(subject: Subject) {
    let bench = Bench::with(subject, LogOptions { fork_depth: 2, ..LogOptions::default() }).await;
    let source = bench.create("0").await;
    let one = bench.fork(&source, None, 0, "1").await;
    let two = bench.fork(&one, None, 0, "2").await;
    assert_eq!(bench.refusal(&two, None, 0).await, CreateError::TooDeep);
    bench.fork(&one, None, 0, "two-too").await;
}

/// A claim of the suite.
pub async fn a_sub_offset_takes_records_of_json_and_bytes_of_anything_else(subject: Subject) {
    let bench = Bench::open(subject).await;
    let json = path("json");
    let four = records([1, 2, 3, 4]);
    bench.log.create(&json, NewStream { records: four, ..NewStream::json() }).await.unwrap();
    let two = bench.fork(&json, Some(1), 2, "two").await;
    assert_eq!(bench.read_all(&two).await, ["1", "2", "3"]);
    assert!(matches!(bench.refusal(&json, Some(0), 5).await, CreateError::Position(_)));
    let bytes = bench.create("bytes").await;
    bench.append(&bytes, "first").await;
    bench.append(&bytes, "second").await;
    let some = bench.fork(&bytes, Some(1), 3, "some").await;
    assert_eq!(bench.append(&some, "own").await, offset(3));
    assert_eq!(bench.read_all(&some).await, ["first", "sec", "own"]);
    let fewer = bench.fork(&some, Some(1), 2, "fewer").await;
    assert_eq!(bench.read_all(&fewer).await, ["first", "se"]);
    let whole = bench.fork(&some, Some(2), 0, "whole").await;
    assert_eq!(bench.read_all(&whole).await, ["first", "sec"]);
    let all = bench.fork(&bytes, Some(1), 6, "all").await;
    assert_eq!(bench.read_all(&all).await, ["first", "second"]);
    for (at, sub) in [(Some(1), 7), (Some(2), 1), (None, 1)] {
        assert!(matches!(bench.refusal(&bytes, at, sub).await, CreateError::Position(_)), "{at:?} {sub}");
    }
    assert!(
        matches!(bench.refusal(&some, Some(1), 4).await, CreateError::Position(_)),
        "3 bytes are inherited"
    );
}

/// A claim of the suite.
pub async fn a_fork_that_can_not_be_is_refused_and_leaves_no_trace(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.ten("source").await;
    bench.log.trim(&source, offset(4)).await.unwrap();
    assert_eq!(bench.refusal(&path("nothing"), None, 0).await, CreateError::NoSource);
    assert_eq!(bench.refusal(&path("refused"), None, 0).await, CreateError::NoSource, "nor of itself");
    assert!(matches!(bench.refusal(&source, Some(11), 0).await, CreateError::Position(_)));
    assert_eq!(bench.refusal(&source, Some(3), 0).await, CreateError::Trimmed { start: offset(4) });
    let other = NewStream { content_type: "application/json".to_owned(), ..fork_of(&source, None, 0) };
    let refused = bench.log.create(&path("refused"), other).await.unwrap_err();
    assert!(matches!(refused, CreateError::ContentTypeMismatch { .. }));
    assert!(bench.log.delete(&source).await.unwrap());
    assert_eq!(bench.log.find(&source).await.unwrap_err(), ReadError::NotFound);
}

/// A claim of the suite.
pub async fn making_a_fork_again_changes_nothing_and_another_is_refused(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.create("source").await;
    bench.append(&source, "hello").await;
    bench.append(&source, "world").await;
    let fork = bench.fork(&source, Some(1), 2, "fork").await;
    let again = async |new: NewStream| bench.log.create(&fork, new).await.map(|made| made.existed);
    bench.append(&source, "more").await;
    assert_eq!(again(fork_of(&source, Some(1), 2)).await, Ok(true));
    assert_eq!(again(fork_of(&source, None, 2)).await, Ok(true), "an offset that is not said fits any");
    for other in [
        fork_of(&source, Some(1), 3),
        fork_of(&source, Some(0), 2),
        fork_of(&source, Some(1), 0),
        fork_of(&path("other"), Some(1), 2),
        NewStream { ttl: Some(Duration::from_secs(9)), ..fork_of(&source, Some(1), 2) },
        bytes_stream(),
    ] {
        assert_eq!(again(other).await, Err(CreateError::Exists));
    }
    assert!(bench.log.delete(&source).await.unwrap());
    assert_eq!(again(fork_of(&source, Some(1), 2)).await, Ok(true), "even when its source is deleted");
}

/// A claim of the suite.
pub async fn a_fork_lives_as_long_as_it_says_else_as_its_source(subject: Subject) {
    let bench = Bench::open(subject).await;
    let (short, long) = (Some(Duration::from_secs(10)), Some(Duration::from_secs(100)));
    let source = path("source");
    bench.log.create(&source, NewStream { ttl: short, ..bytes_stream() }).await.unwrap();
    bench.append(&source, "x").await;
    let heir = bench.fork(&source, None, 0, "heir").await;
    let own = path("own");
    bench.log.create(&own, NewStream { ttl: long, ..fork_of(&source, None, 0) }).await.unwrap();
    assert_eq!(bench.log.lookup(&heir).await.unwrap().unwrap().ttl, short);
    assert_eq!(bench.log.lookup(&own).await.unwrap().unwrap().ttl, long);
    bench.clock.advance(Duration::from_secs(11));
    assert_eq!(bench.log.find(&source).await.unwrap_err(), ReadError::Gone, "before housekeeping, too");
    bench.housekeep().await;
    assert_eq!(bench.log.find(&source).await.unwrap_err(), ReadError::Gone);
    assert_eq!(bench.log.find(&heir).await.unwrap_err(), ReadError::NotFound);
    assert_eq!(bench.read_all(&own).await, ["x"]);
    bench.clock.advance(Duration::from_secs(101));
    bench.housekeep().await;
    assert_eq!(bench.log.find(&source).await.unwrap_err(), ReadError::NotFound);
    let until = bench.clock.now_plus(Duration::from_secs(5));
    bench.log.create(&source, NewStream { expires_at: Some(until), ..bytes_stream() }).await.unwrap();
    let heir = bench.fork(&source, None, 0, "heir").await;
    assert_eq!(bench.log.lookup(&heir).await.unwrap().unwrap().expires_at, Some(until));
}

/// A claim of the suite.
pub async fn a_deleted_source_is_read_by_its_forks_only_and_keeps_its_path(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.ten("source").await;
    let fork = bench.fork(&source, Some(5), 0, "fork").await;
    let mut tail = bench.log.tail(&source, ReadFrom::Tail).await.unwrap();
    assert!(bench.log.delete(&source).await.unwrap());
    while !matches!(tail.next(100).await.unwrap(), TailStep::Deleted) {}
    assert_eq!(bench.log.find(&source).await.unwrap_err(), ReadError::Gone);
    assert_eq!(bench.log.lookup(&source).await.unwrap(), None);
    let bound = crate::ReadBound { records: 9, bytes: 999 };
    assert_eq!(bench.log.read(&source, ReadFrom::Start, bound).await.unwrap_err(), ReadError::Gone);
    assert_eq!(bench.log.tail(&source, ReadFrom::Start).await.unwrap_err(), ReadError::Gone);
    assert_eq!(bench.log.append(&source, Append::one("x")).await, Err(AppendError::Gone));
    assert_eq!(bench.log.create(&source, bytes_stream()).await.unwrap_err(), CreateError::Kept);
    assert_eq!(bench.refusal(&source, None, 0).await, CreateError::SourceDeleted);
    assert!(!bench.log.delete(&source).await.unwrap());
    assert_eq!(bench.log.trim(&source, offset(1)).await.unwrap(), None);
    assert!(bench.log.list("", None, 9).await.unwrap().iter().all(|info| info.path != source));
    bench.housekeep().await;
    let bench = bench.reopen().await;
    assert_eq!(bench.read_all(&fork).await, numbers(0..5));
    assert!(bench.log.delete(&fork).await.unwrap());
    bench.housekeep().await;
    assert_eq!(bench.log.find(&source).await.unwrap_err(), ReadError::NotFound);
    bench.create("source").await;
    assert_eq!(bench.read_all(&source).await, Vec::<String>::new());
}

/// A claim of the suite.
pub async fn the_last_fork_of_a_chain_takes_all_of_it_along(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.ten("0").await;
    let middle = bench.fork(&source, None, 0, "1").await;
    bench.append(&middle, "10").await;
    let last = bench.fork(&middle, None, 0, "2").await;
    assert!(bench.log.delete(&middle).await.unwrap() && bench.log.delete(&source).await.unwrap());
    bench.housekeep().await;
    assert_eq!(bench.read_all(&last).await, numbers(0..11));
    assert!(bench.log.delete(&last).await.unwrap());
    assert_eq!(bench.log.find(&last).await.unwrap_err(), ReadError::NotFound);
    bench.housekeep().await;
    for path in [source, middle] {
        assert_eq!(bench.log.find(&path).await.unwrap_err(), ReadError::NotFound);
        bench.log.create(&path, bytes_stream()).await.unwrap();
    }
}

/// A claim of the suite.
pub async fn forking_and_deleting_in_one_group_is_told_in_order(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.ten("source").await;
    let fork = path("fork");
    let (made, deleted, again) = tokio::join!(
        bench.log.create(&fork, fork_of(&source, None, 0)),
        bench.log.delete(&source),
        bench.log.create(&source, bytes_stream()),
    );
    assert!(made.is_ok() && deleted.unwrap());
    assert_eq!(again.unwrap_err(), CreateError::Kept);
    assert_eq!(bench.read_all(&fork).await, numbers(0..10));
    let (deleted, again) = tokio::join!(bench.log.delete(&fork), bench.log.create(&source, bytes_stream()));
    assert!(deleted.unwrap());
    assert!(!again.unwrap().existed, "with the fork its source is gone in the same step");
}

/// A claim of the suite.
pub async fn trimming_a_source_takes_nothing_from_its_forks(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.ten("source").await;
    let fork = bench.fork(&source, Some(6), 0, "fork").await;
    assert_eq!(bench.log.trim(&source, offset(9)).await.unwrap(), Some(offset(9)));
    bench.housekeep().await;
    assert_eq!(bench.read_all(&fork).await, numbers(0..6));
    assert_eq!(bench.log.trim(&fork, offset(2)).await.unwrap(), Some(offset(2)));
    bench.housekeep().await;
    let page = bench.page(&fork, ReadFrom::At(offset(1)), 9).await;
    assert_eq!(page.gap, Some(Gap::Trimmed { from: offset(1), to: offset(2) }));
    assert_eq!(bench.read_all(&fork).await, numbers(2..6));
    let late = bench.fork(&source, None, 0, "late").await;
    assert_eq!(bench.read_all(&late).await, numbers(9..10), "what was trimmed before is not inherited");
    bench.log.delete(&fork).await.unwrap();
    bench.log.delete(&late).await.unwrap();
    bench.housekeep().await;
    assert_eq!(bench.read_all(&source).await, numbers(9..10));
}

/// A claim of the suite.
pub async fn writers_of_a_fork_start_afresh(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.create("source").await;
    let producer = || Some(Producer { id: "p".to_owned(), epoch: 0, seq: 0 });
    let numbered = || Append { producer: producer(), seq: Some("b".to_owned()), ..Append::one("x") };
    bench.log.append(&source, Append { close: true, ..numbered() }).await.unwrap();
    let fork = bench.fork(&source, None, 0, "fork").await;
    let appended = bench.log.append(&fork, Append { seq: Some("a".to_owned()), ..numbered() }).await.unwrap();
    assert!(!appended.duplicate && !appended.closed);
    assert!(bench.log.append(&fork, Append { seq: None, ..numbered() }).await.unwrap().duplicate);
    assert!(bench.log.append(&fork, Append::close()).await.unwrap().closed);
    assert_eq!(bench.read_all(&fork).await, ["x", "x"]);
}

/// A claim of the suite.
pub async fn first_records_of_a_fork_follow_what_it_inherits(subject: Subject) {
    let bench = Bench::open(subject).await;
    let source = bench.create("source").await;
    bench.append(&source, "hello").await;
    let new = NewStream { records: records(["XY"]), closed: true, ..fork_of(&source, Some(0), 3) };
    let made = bench.log.create(&path("fork"), new).await.unwrap().info;
    assert!(made.closed && made.tail == offset(2));
    assert_eq!(bench.read_all(&path("fork")).await, ["hel", "XY"]);
}

/// A claim of the suite.
pub async fn a_tail_goes_from_the_inherited_records_to_the_own_without_a_seam(subject: Subject) {
    let bench = Bench::with(subject, LogOptions { ring_records: 4, ..LogOptions::default() }).await;
    let source = bench.ten("source").await;
    let fork = bench.fork(&source, Some(5), 0, "fork").await;
    let mut tail = bench.log.tail(&fork, ReadFrom::At(offset(2))).await.unwrap();
    bench.append(&source, "not ours").await;
    for n in 5..9 {
        bench.append(&fork, &n.to_string()).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 7 {
        match tail.next(2).await.unwrap() {
            TailStep::Frames { frames, .. } => seen.extend(frames.iter().map(|frame| text(&frame.data))),
            other => assert!(matches!(other, TailStep::UpToDate), "{other:?}"),
        }
    }
    assert_eq!(seen, numbers(2..9));
    let waited = bench.log.wait_past(&fork, offset(9), Duration::from_millis(5)).await.unwrap();
    assert_eq!(waited.tail, offset(9), "an append to the source wakes nobody");
    bench.append(&fork, "9").await;
    assert_eq!(bench.log.wait_past(&fork, offset(9), Duration::from_secs(5)).await.unwrap().tail, offset(10));
}
