//! Appending.

use std::sync::Arc;

use super::{Bench, Subject, bytes_stream, offset, path, records};
use crate::{Append, AppendError};

/// A claim of the suite.
pub async fn offsets_count_records_without_gaps(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    for n in 1..=5 {
        let appended = bench.log.append(&at, Append::one(n.to_string())).await.unwrap();
        assert_eq!((appended.first, appended.tail), (offset(n - 1), offset(n)));
    }
    let appended = bench.log.append(&at, Append::batch(records(6..=8))).await.unwrap();
    assert_eq!((appended.first, appended.tail), (offset(5), offset(8)));
    assert_eq!(bench.read_all(&at).await, ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

/// A claim of the suite.
pub async fn a_batch_is_written_whole(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let mut batch = records(0..5);
    batch.push(bytes::Bytes::new());
    assert_eq!(bench.log.append(&at, Append::batch(batch)).await, Err(AppendError::Empty));
    assert_eq!(bench.read_all(&at).await, Vec::<String>::new());
    bench.log.append(&at, Append::batch(records(0..1_000))).await.unwrap();
    assert_eq!(bench.read_all(&at).await.len(), 1_000);
}

/// A claim of the suite.
pub async fn an_append_without_bytes_is_refused(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    assert_eq!(bench.log.append(&at, Append::default()).await, Err(AppendError::Empty));
    assert_eq!(bench.log.append(&at, Append::one("")).await, Err(AppendError::Empty));
}

/// A claim of the suite.
pub async fn another_content_type_is_refused(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let with =
        |content_type: &str| Append { content_type: Some(content_type.to_owned()), ..Append::one("x") };
    let refused = bench.log.append(&at, with("application/json")).await;
    assert_eq!(refused, Err(AppendError::ContentTypeMismatch { expected: "text/plain".to_owned() }));
    bench.log.append(&at, with("Text/Plain; charset=utf-8")).await.unwrap();
}

/// A claim of the suite.
pub async fn a_sequence_must_rise_bytewise(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let with = |seq: &str| Append { seq: Some(seq.to_owned()), ..Append::one("x") };
    bench.log.append(&at, with("09")).await.unwrap();
    bench.log.append(&at, with("10")).await.unwrap();
    bench.append(&at, "without").await;
    for bad in ["10", "0", "09", "1", ""] {
        let refused = bench.log.append(&at, with(bad)).await;
        assert_eq!(refused, Err(AppendError::SequenceConflict { last: "10".to_owned() }), "{bad}");
    }
    let bench = bench.reopen().await;
    assert!(bench.log.append(&at, with("10")).await.is_err());
    bench.log.append(&at, with("2")).await.unwrap();
    bench.log.append(&at, with("a")).await.unwrap();
    assert!(bench.log.append(&at, with("Z")).await.is_err());
}

/// A claim of the suite.
pub async fn an_append_that_expects_another_tail_is_refused(subject: Subject) {
    let bench = Bench::open(subject).await;
    let at = bench.create("a").await;
    let with = |tail| Append { expect_tail: Some(offset(tail)), ..Append::one("x") };
    assert_eq!(bench.log.append(&at, with(1)).await, Err(AppendError::TailMoved { tail: offset(0) }));
    bench.log.append(&at, with(0)).await.unwrap();
    assert_eq!(bench.log.append(&at, with(0)).await, Err(AppendError::TailMoved { tail: offset(1) }));
}

/// A claim of the suite.
pub async fn appends_of_many_writers_get_distinct_offsets(subject: Subject) {
    let bench = Arc::new(Bench::open(subject).await);
    let (one, other) = (bench.create("one").await, bench.create("other").await);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..64 {
        let (bench, at) = (Arc::clone(&bench), if writer % 2 == 0 { one.clone() } else { other.clone() });
        writers.spawn(async move {
            let mut taken = Vec::new();
            for n in 0..20 {
                taken.push((bench.append(&at, &format!("{writer}-{n}")).await, format!("{writer}-{n}")));
            }
            (at, taken)
        });
    }
    let taken = writers.join_all().await;
    for at in [one, other] {
        let all = bench.read_all(&at).await;
        let mine: Vec<_> = taken.iter().filter(|(to, _)| *to == at).flat_map(|(_, taken)| taken).collect();
        assert_eq!((all.len(), mine.len()), (640, 640));
        for (offset, record) in mine {
            let place = usize::try_from(offset.get()).unwrap() - 1;
            assert_eq!(all.get(place), Some(record), "an answer names the place of its record");
        }
    }
}

/// A claim of the suite.
pub async fn a_stream_that_is_not_there_takes_nothing(subject: Subject) {
    let bench = Bench::open(subject).await;
    let closing = Append { close: true, ..Append::one("x") };
    for append in [Append::one("x"), Append::close(), closing] {
        assert_eq!(bench.log.append(&path("a"), append).await, Err(AppendError::NotFound));
    }
    bench.log.create(&path("a"), bytes_stream()).await.unwrap();
    bench.append(&path("a"), "x").await;
}
