//! The shortest way through the log.

use std::sync::Arc;

use tidegate_log::{Append, Log, LogOptions, NewStream, SqliteLogStore, TailStep};
use tidegate_types::{ReadFrom, StreamPath, SystemClock};

#[tokio::test]
async fn what_is_appended_reaches_a_tail_and_closing_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let db = tidegate_db::Db::open(&dir.path().join("t.db"), &Default::default()).await.unwrap();
    let store = Arc::new(SqliteLogStore::open(db).await.unwrap());
    let log = Log::open(store, LogOptions::default(), Arc::new(SystemClock)).await.unwrap();
    let path: StreamPath = "a/b".parse().unwrap();
    log.create(&path, NewStream { records: vec!["1".into()], ..NewStream::json() }).await.unwrap();
    let mut tail = log.tail(&path, ReadFrom::Start).await.unwrap();
    assert!(matches!(tail.next(1_000).await.unwrap(), TailStep::Frames { up_to_date: true, .. }));
    log.append(&path, Append::one("2")).await.unwrap();
    assert!(matches!(tail.next(1_000).await.unwrap(), TailStep::Frames { up_to_date: true, .. }));
    log.append(&path, Append::close()).await.unwrap();
    assert!(matches!(tail.next(1_000).await.unwrap(), TailStep::Closed));
}
