//! What a crash leaves: copies of the files, taken at any moment, are opened and read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate_db::rusqlite::Connection;
use tidegate_db::{Db, DbOptions};
use tidegate_log::suite::{Bench, Subject, bytes_stream, model, path};
use tidegate_log::{Append, LogOptions, NewFork, NewStream, SqliteLogStore};
use tidegate_types::{Offset, ReadFrom, StreamPath};

/// Without checkpoints the file only changes at its end (the log), so a copy of both, the file first, is what
/// a crash at some moment would have left.
const NO_CHECKPOINTS: u32 = 10_000_000;

async fn open(dir: tempfile::TempDir, journal_bytes: usize) -> Subject {
    let options = DbOptions { checkpoint_pages: NO_CHECKPOINTS, ..DbOptions::default() };
    let db = Db::open(&dir.path().join("t.db"), &options).await.unwrap();
    let options = LogOptions { journal_bytes, ..LogOptions::default() };
    let store = SqliteLogStore::open_with(db, &options).await.unwrap();
    Subject { store: Arc::new(store), keep: Box::new(dir) }
}

/// Rows of the journal that were not moved on.
const LIVE: &str = "journal WHERE seq > (SELECT merged FROM journal_state)";

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in ["t.db", "t.db-wal"] {
        std::fs::copy(from.join(file), to.path().join(file)).unwrap();
    }
    to
}

fn rows(dir: &Path, table: &str) -> u32 {
    let conn = Connection::open(dir.join("t.db")).unwrap();
    conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_with_crashes_agree_with_a_model() {
    // The smallest journal is full all the time, the middle one merges in the background, the large one never.
    for (seed, journal_bytes) in [(1, 2_000), (2, 20_000), (3, 200_000), (4, 100_000_000)] {
        let dir = tempfile::tempdir().unwrap();
        let place = std::sync::Mutex::new(dir.path().to_owned());
        let restart = async |bench: Bench| {
            let left = copy(&place.lock().unwrap());
            *place.lock().unwrap() = left.path().to_owned();
            let clock = Arc::clone(&bench.clock);
            drop(bench);
            Bench::go_on(open(left, journal_bytes).await, clock).await
        };
        model::history(open(dir, journal_bytes).await, 0x9e37_79b9_7f4a_7c15 << seed, restart).await;
    }
}

async fn write(bench: &Bench, at: &StreamPath, records: u64) -> Vec<String> {
    let mut written = Vec::new();
    for n in 0..records {
        // Some are large enough for a chunk of their own.
        let record = format!("{n}{}", "-".repeat(if n % 13 == 0 { 6_000 } else { 40 }));
        let appended = bench.log.append(at, Append::one(record.clone())).await.unwrap();
        written.push(record);
        assert_eq!(appended.tail.get(), n + 1);
    }
    written
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_moment_loses_nothing_that_was_answered() {
    const WRITERS: u64 = 8;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    let bench = Arc::new(Bench::open(open(dir, 60_000).await).await);
    let mut paths = Vec::new();
    for n in 0..WRITERS {
        paths.push(bench.create(&format!("s/{n}")).await);
    }
    let mut writers = tokio::task::JoinSet::new();
    for at in paths.clone() {
        let bench = Arc::clone(&bench);
        writers.spawn(async move { (at.clone(), write(&bench, &at, 300).await) });
    }
    let mut crashes = Vec::new();
    while crashes.len() < 20 && !writers.is_empty() {
        let mut answered = Vec::new();
        for at in &paths {
            answered.push(bench.log.lookup(at).await.unwrap().unwrap().tail.get());
        }
        let place = place.clone();
        let left = tokio::task::spawn_blocking(move || copy(&place)).await.unwrap();
        crashes.push((answered, left));
    }
    let written: std::collections::HashMap<_, _> = writers.join_all().await.into_iter().collect();
    for (answered, left) in crashes {
        let bench = Bench::open(open(left, 60_000).await).await;
        for (at, answered) in paths.iter().zip(answered) {
            let found = bench.read_all(at).await;
            assert!(
                found.len() as u64 >= answered,
                "{at}: {answered} were answered, {} are there",
                found.len()
            );
            assert_eq!(found, written[at][..found.len()]);
            let next = bench.append(at, "goes on").await;
            assert_eq!(next.get(), found.len() as u64 + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_meet_no_hole_and_no_repeat_while_records_are_moved() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Arc::new(Bench::open(open(dir, 10_000_000).await).await);
    let at = bench.create("a").await;
    let writing = tokio::spawn({
        let (bench, at) = (Arc::clone(&bench), at.clone());
        async move { write(&bench, &at, 400).await }
    });
    let merging = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move {
            loop {
                bench.merge().await;
                tokio::task::yield_now().await;
            }
        }
    });
    let mut seen = 0;
    while !writing.is_finished() {
        // Every page is checked for holes, and every read from the start has all that the one before had.
        let found = bench.read_all(&at).await.len();
        assert!(found >= seen);
        seen = found;
    }
    merging.abort();
    assert_eq!(bench.read_all(&at).await, writing.await.unwrap());
}

#[tokio::test]
async fn small_commits_end_in_few_chunks_and_no_row_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    let bench = Bench::open(open(dir, 10_000_000).await).await;
    let paths = [bench.create("a").await, bench.create("b").await];
    for n in 0..300 {
        for at in &paths {
            bench.append(at, &n.to_string()).await;
        }
        if n == 100 {
            bench.merge().await;
        }
    }
    assert_eq!((rows(&place, "journal"), rows(&place, "chunks")), (398, 2));
    bench.merge().await;
    assert_eq!((rows(&place, "journal"), rows(&place, "chunks")), (0, 2));
    let expected: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    for at in &paths {
        assert_eq!(bench.read_all(at).await, expected);
    }
}

#[tokio::test]
async fn a_large_commit_behind_small_ones_is_stored_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    let bench = Bench::open(open(dir, 10_000_000).await).await;
    let at = bench.create("a").await;
    let large = "-".repeat(6_000);
    let mut expected = Vec::new();
    for record in ["x", "y", &large, &large, "z", &large, "end"] {
        bench.append(&at, record).await;
        expected.push(record.to_owned());
        assert_eq!(bench.read_all(&at).await, expected);
    }
    // `x` and `y` were joined before the first large one, `z` before the third; `end` is in the journal only.
    assert_eq!((rows(&place, "journal"), rows(&place, "chunks")), (4, 5));
    for from in 0..7 {
        let page = bench.page(&at, ReadFrom::At(Offset::new(from).unwrap()), 100).await;
        let read: Vec<_> = page.records.into_iter().map(|record| record.data).collect();
        assert_eq!(read, expected[usize::try_from(from).unwrap()..]);
    }
    bench.merge().await;
    assert_eq!((rows(&place, "journal"), rows(&place, "chunks")), (0, 6));
    assert_eq!(bench.read_all(&at).await, expected);
}

#[tokio::test]
async fn housekeeping_moves_what_is_older_than_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    let bench = Bench::open(open(dir, 10_000_000).await).await;
    let at = bench.create("a").await;
    bench.append(&at, "x").await;
    bench.log.step(tidegate_types::Clock::now(&*bench.clock)).await.unwrap();
    assert_eq!(rows(&place, LIVE), 1);
    bench.clock.advance(Duration::from_secs(2));
    bench.append(&at, "y").await;
    bench.log.step(tidegate_types::Clock::now(&*bench.clock)).await.unwrap();
    assert_eq!((rows(&place, LIVE), rows(&place, "chunks")), (1, 1));
    assert_eq!(bench.read_all(&at).await, ["x", "y"]);
}

#[tokio::test]
async fn a_journal_at_its_bound_is_moved_on_before_it_takes_more() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    let bench = Bench::open(open(dir, 100_000).await).await;
    let at = bench.create("a").await;
    for n in 0..2_000 {
        bench.append(&at, &format!("{n}{}", "-".repeat(300))).await;
    }
    assert!(rows(&place, "journal") <= 200, "a row takes about 500 bytes of memory");
    assert_eq!(bench.read_all(&at).await.len(), 2_000);
}

#[tokio::test]
async fn a_damaged_row_refuses_to_open() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    let bench = Bench::open(open(dir, 100_000).await).await;
    let at = bench.create("a").await;
    bench.append(&at, "x").await;
    let left = copy(&place);
    let conn = Connection::open(left.path().join("t.db")).unwrap();
    conn.execute("UPDATE journal SET body = CAST(substr(body, 1, 20) || x'39' AS BLOB)", []).unwrap();
    drop(conn);
    let db = Db::open(&left.path().join("t.db"), &DbOptions::default()).await.unwrap();
    let error = SqliteLogStore::open(db).await.unwrap_err().to_string();
    assert!(error.contains("row 1 of the journal is damaged"), "{error}");
}

#[tokio::test]
async fn what_was_deleted_leaves_nothing_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    let subject = open(dir, 10_000_000).await;
    let store = Arc::clone(&subject.store);
    let bench = Bench::open(subject).await;
    bench.log.create(&path("a"), bytes_stream()).await.unwrap();
    bench.append(&path("a"), "x").await;
    bench.log.delete(&path("a")).await.unwrap();
    while store.purge(100).await.unwrap() {}
    bench.merge().await;
    assert_eq!((rows(&place, "journal"), rows(&place, "chunks"), rows(&place, "streams")), (0, 0, 0));
}

#[tokio::test]
async fn forks_read_what_was_in_the_journal_when_their_source_was_deleted() {
    let bench = Bench::open(open(tempfile::tempdir().unwrap(), 10_000_000).await).await;
    let source = bench.create("source").await;
    for n in 0..6 {
        bench.append(&source, &n.to_string()).await;
    }
    let fork = Some(NewFork { source: source.clone(), at: tidegate_types::Offset::new(4), sub: 0 });
    bench.log.create(&path("fork"), NewStream { fork, ..bytes_stream() }).await.unwrap();
    bench.append(&path("fork"), "own").await;
    let expected = ["0", "1", "2", "3", "own"];
    assert_eq!(bench.read_all(&path("fork")).await, expected);
    bench.log.delete(&source).await.unwrap();
    assert_eq!(bench.read_all(&path("fork")).await, expected);
    bench.housekeep().await;
    bench.housekeep().await;
    assert_eq!(bench.read_all(&path("fork")).await, expected);
}
