//! Stored bytes that are not what was written.

use std::sync::Arc;

use tidegate_db::rusqlite::Connection;
use tidegate_db::{Db, DbOptions};
use tidegate_log::{Append, Log, LogError, LogOptions, NewStream, ReadBound, ReadError, SqliteLogStore};
use tidegate_types::{ReadFrom, StreamPath, SystemClock};

const BOUND: ReadBound = ReadBound { records: 100, bytes: 100_000 };

async fn open(dir: &tempfile::TempDir) -> Log {
    let db = Db::open(&dir.path().join("t.db"), &DbOptions::default()).await.unwrap();
    let store = Arc::new(SqliteLogStore::open(db).await.unwrap());
    Log::open(store, LogOptions::default(), Arc::new(SystemClock)).await.unwrap()
}

/// Three records of a chunk's size, so three chunks, then this statement on the file.
async fn damaged_by(sql: &str) -> ReadError {
    let dir = tempfile::tempdir().unwrap();
    let path: StreamPath = "a/b".parse().unwrap();
    let log = open(&dir).await;
    log.create(&path, NewStream::json()).await.unwrap();
    for n in 0..3 {
        log.append(&path, Append::one(format!("{n:05000}"))).await.unwrap();
    }
    drop(log);
    Connection::open(dir.path().join("t.db")).unwrap().execute_batch(sql).unwrap();
    let log = open(&dir).await;
    log.read(&path, ReadFrom::At(tidegate_types::Offset::START), BOUND).await.unwrap_err()
}

#[tokio::test]
async fn changed_bytes_are_an_error_that_names_the_place() {
    let error = damaged_by(
        "UPDATE chunks SET body = CAST(substr(body, 1, 6) || x'39' AS BLOB) WHERE first_offset = 1",
    )
    .await;
    let ReadError::Log(LogError::Damaged { stream, offset, .. }) = error else { panic!("{error}") };
    assert_eq!((stream.as_str(), offset.get()), ("a/b", 1));
}

#[tokio::test]
async fn a_missing_chunk_is_an_error_that_names_the_place() {
    for lost in [0, 1] {
        let error = damaged_by(&format!("DELETE FROM chunks WHERE first_offset = {lost}")).await;
        let ReadError::Log(LogError::Damaged { offset, .. }) = error else { panic!("{error}") };
        assert_eq!(offset.get(), lost);
    }
}

#[tokio::test]
async fn a_file_that_is_opened_again_has_everything_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path: StreamPath = "a/b".parse().unwrap();
    for round in 1..=3 {
        let log = open(&dir).await;
        log.create(&path, NewStream::json()).await.unwrap();
        assert_eq!(log.append(&path, Append::one("1")).await.unwrap().tail.get(), round);
        let page = log.read(&path, ReadFrom::Start, BOUND).await.unwrap();
        assert_eq!(page.records.len() as u64, round);
    }
}
