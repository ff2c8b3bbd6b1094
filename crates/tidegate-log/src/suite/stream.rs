//! Making, finding, listing and deleting streams.

use std::time::Duration;

use tidegate_types::{Offset, ReadFrom, StreamPath};

use super::{Bench, Subject, bytes_stream, path, records};
use crate::{Append, AppendError, CreateError, NewStream, ReadError};

/// A claim of the suite.
pub async fn a_new_stream_is_empty_and_can_be_looked_up(subject: Subject) {
    let bench = Bench::open(subject).await;
    assert_eq!(bench.log.lookup(&path("a/b")).await.unwrap(), None);
    let made = bench.log.create(&path("a/b"), NewStream::json()).await.unwrap();
    assert!(!made.existed && made.info.is_json() && !made.info.closed);
    assert_eq!((made.info.start, made.info.tail), (Offset::START, Offset::START));
    assert_eq!(bench.log.lookup(&path("a/b")).await.unwrap(), Some(made.info));
    assert_eq!(bench.read_all(&path("a/b")).await, Vec::<String>::new());
}

/// A claim of the suite.
pub async fn making_it_again_with_the_same_settings_changes_nothing(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.append(&at, "x").await;
    let new = NewStream {
        content_type: "TEXT/plain; charset=utf-8".to_owned(),
        records: records(["y"]),
        ..NewStream::default()
    };
    let again = bench.log.create(&at, new).await.unwrap();
    assert!(again.existed);
    assert_eq!(&*again.info.content_type, "text/plain");
    assert_eq!(bench.read_all(&at).await, ["x"]);
}

/// A claim of the suite.
pub async fn making_it_with_other_settings_is_refused(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let hour = Some(Duration::from_secs(3_600));
    for other in [
        NewStream::json(),
        NewStream { ttl: hour, ..bytes_stream() },
        NewStream { closed: true, ..bytes_stream() },
    ] {
        assert_eq!(bench.log.create(&at, other).await.unwrap_err(), CreateError::Exists);
    }
}

/// A claim of the suite.
pub async fn settings_that_are_no_settings_are_refused(subject: Subject) {
    let bench = Bench::open(subject).await;
    let both = NewStream {
        ttl: Some(Duration::from_secs(1)),
        expires_at: Some(tidegate_types::Timestamp::from_millis(i64::MAX)),
        ..bytes_stream()
    };
    for bad in [NewStream::default(), NewStream { content_type: "a\nb".to_owned(), ..bytes_stream() }, both] {
        assert!(matches!(bench.log.create(&path("a"), bad).await, Err(CreateError::Invalid(_))));
    }
    let empty = NewStream { records: records([""]), ..bytes_stream() };
    assert_eq!(bench.log.create(&path("a"), empty).await.unwrap_err(), CreateError::EmptyRecord);
}

/// A claim of the suite.
pub async fn first_records_are_there_when_the_creation_answers(subject: Subject) {
    let bench = Bench::open(subject).await;
    let new = NewStream { records: records(0..20), closed: true, ..bytes_stream() };
    let made = bench.log.create(&path("a"), new).await.unwrap();
    assert_eq!((made.info.tail.get(), made.info.closed), (20, true));
    assert_eq!(bench.read_all(&path("a")).await, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// A claim of the suite.
pub async fn a_deleted_stream_is_gone_and_its_path_makes_another_stream(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    bench.append(&at, "old").await;
    let old = bench.log.lookup(&at).await.unwrap().unwrap();
    assert!(bench.log.delete(&at).await.unwrap());
    assert!(!bench.log.delete(&at).await.unwrap());
    assert_eq!(bench.log.lookup(&at).await.unwrap(), None);
    assert_eq!(bench.log.append(&at, Append::one("x")).await, Err(AppendError::NotFound));
    assert_eq!(bench.log.tail(&at, ReadFrom::Start).await.unwrap_err(), ReadError::NotFound);
    let new = bench.log.create(&at, NewStream::json()).await.unwrap().info;
    assert!(new.id > old.id);
    bench.append(&at, "1").await;
    bench.housekeep().await;
    assert_eq!(bench.read_all(&at).await, ["1"]);
}

/// A claim of the suite.
pub async fn streams_are_listed_by_path_under_a_prefix(subject: Subject) {
    let bench = Bench::open(subject).await;
    for at in ["b/2", "a/1", "a/3", "a/2", "aa", "ä/1"] {
        bench.create(at).await;
    }
    bench.log.delete(&path("a/2")).await.unwrap();
    bench.create("a/4").await;
    let names = |found: Vec<crate::StreamInfo>| -> Vec<String> {
        found.iter().map(|info| info.path.to_string()).collect()
    };
    assert_eq!(names(bench.log.list("a/", None, 10).await.unwrap()), ["a/1", "a/3", "a/4"]);
    assert_eq!(names(bench.log.list("", None, 10).await.unwrap()), ["a/1", "a/3", "a/4", "aa", "b/2", "ä/1"]);
    let after: StreamPath = path("a/1");
    assert_eq!(names(bench.log.list("a", Some(&after), 2).await.unwrap()), ["a/3", "a/4"]);
}
