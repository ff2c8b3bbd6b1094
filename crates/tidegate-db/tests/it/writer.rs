//! The writer's promises, on a real file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate_db::rusqlite::{Connection, Transaction};
use tidegate_db::{Bus as _, Db, DbError, DbOptions, Hint, LocalBus, WriteJob};

async fn open(dir: &tempfile::TempDir) -> Db {
    let db = Db::open(&dir.path().join("t.db"), &DbOptions::default()).await.unwrap();
    db.write(|tx| {
        Ok::<_, DbError>(tx.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)")?)
    })
    .await
    .unwrap();
    db
}

async fn insert(db: &Db, n: i64) -> Result<(), DbError> {
    db.write(move |tx| Ok(tx.execute("INSERT INTO t VALUES (?1)", [n]).map(|_| ())?)).await
}

async fn count(db: &Db) -> i64 {
    db.read(|conn| Ok::<_, DbError>(conn.query_row("SELECT count(*) FROM t", [], |r| r.get(0))?))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_failed_job_rolls_back_alone() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    let jobs = (0..50).map(|n| {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(move |tx| {
                tx.execute("INSERT INTO t VALUES (?1)", [n])?;
                if n % 2 == 0 { Err(DbError::Constraint("even".to_owned())) } else { Ok(()) }
            })
            .await
        })
    });
    let mut failed = 0;
    for job in jobs.collect::<Vec<_>>() {
        failed += usize::from(job.await.unwrap().is_err());
    }
    assert_eq!((failed, count(&db).await), (25, 25));
}

#[tokio::test]
async fn a_panicking_job_is_an_error_and_the_writer_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    let result: Result<(), DbError> = db.write(|_| panic!("planted")).await;
    assert!(matches!(result, Err(DbError::Bug(_))));
    insert(&db, 1).await.unwrap();
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    insert(&db, 7).await.unwrap();
    drop(db);
    assert_eq!(count(&open(&dir).await).await, 1);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    let result =
        db.read(|conn| Ok::<_, DbError>(conn.execute("INSERT INTO t VALUES (1)", []).map(|_| ())?)).await;
    assert!(result.is_err());
}

#[tokio::test]
async fn a_full_disk_is_told_and_writing_goes_on_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    db.write(|tx| {
        Ok::<_, DbError>(tx.execute_batch("CREATE TABLE big (b BLOB); PRAGMA max_page_count = 20")?)
    })
    .await
    .unwrap();
    let fill = |db: Db| async move {
        db.write(|tx| {
            Ok::<_, DbError>(tx.execute("INSERT INTO big VALUES (zeroblob(200000))", []).map(|_| ())?)
        })
        .await
    };
    assert_eq!(fill(db.clone()).await, Err(DbError::StorageFull));
    db.write(|tx| Ok::<_, DbError>(tx.execute_batch("PRAGMA max_page_count = 100000")?)).await.unwrap();
    fill(db.clone()).await.unwrap();
}

#[tokio::test]
async fn many_waiting_writes_share_commits() {
    struct Counting(Arc<AtomicUsize>);
    impl WriteJob for Counting {
        fn run(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
            tx.execute("INSERT INTO t DEFAULT VALUES", [])?;
            Ok(())
        }
        fn done(self: Box<Self>, outcome: Result<(), DbError>) {
            assert_eq!(outcome, Ok(()));
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    let done = Arc::new(AtomicUsize::new(0));
    (0..500).for_each(|_| db.submit(Box::new(Counting(Arc::clone(&done)))));
    insert(&db, 10_000).await.unwrap();
    // The writer answers in order: once a later write is answered, all before it were told.
    assert_eq!(done.load(Ordering::SeqCst), 500);
    assert_eq!(count(&db).await, 501);
}

#[tokio::test]
async fn the_log_file_stays_small_while_writes_never_pause() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let db = Db::open(&path, &DbOptions { checkpoint_pages: 20, ..DbOptions::default() }).await.unwrap();
    db.write(|tx| Ok::<_, DbError>(tx.execute_batch("CREATE TABLE big (b BLOB)")?)).await.unwrap();
    for _ in 0..1_000 {
        let insert = "INSERT INTO big VALUES (zeroblob(10000))";
        db.write(move |tx| Ok::<_, DbError>(tx.execute(insert, [])?)).await.unwrap();
    }
    let logged = std::fs::metadata(dir.path().join("t.db-wal")).unwrap().len();
    assert!(logged < 2_000_000, "{logged} bytes of 10,000,000 are still in the log file");
    assert!(std::fs::metadata(&path).unwrap().len() > 8_000_000, "nothing was copied");
    drop(db);
    let db = Db::open(&path, &DbOptions::default()).await.unwrap();
    let count = |conn: &mut Connection| conn.query_row("SELECT count(*) FROM big", [], |row| row.get(0));
    assert_eq!(db.read(move |conn| Ok::<i64, DbError>(count(conn)?)).await, Ok(1_000));
}

#[tokio::test]
async fn commits_after_a_start_do_not_make_the_log_file_longer() {
    let dir = tempfile::tempdir().unwrap();
    let logged = || std::fs::metadata(dir.path().join("t.db-wal")).unwrap().len();
    let options = DbOptions { log_file_bytes: 1_000_000, ..DbOptions::default() };
    for start in 0..2 {
        let db = Db::open(&dir.path().join("t.db"), &options).await.unwrap();
        assert_eq!(logged(), 1_000_000);
        db.write(|tx| {
            Ok::<_, DbError>(tx.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)")?)
        })
        .await
        .unwrap();
        for n in 0..50 {
            insert(&db, start * 50 + n).await.unwrap();
        }
        assert_eq!((logged(), count(&db).await), (1_000_000, start * 50 + 50));
    }
    let names: Vec<_> = dir.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["t.db"], "nothing else stays");
}

#[tokio::test]
async fn a_log_file_with_commits_in_it_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    insert(&db, 1).await.unwrap();
    let options = DbOptions { log_file_bytes: 1_000_000, ..DbOptions::default() };
    // As a crash leaves it, and as a second process finds it.
    let copies = tempfile::tempdir().unwrap();
    for name in ["t.db", "t.db-wal"] {
        std::fs::copy(dir.path().join(name), copies.path().join(name)).unwrap();
    }
    for place in [&copies, &dir] {
        let second = Db::open(&place.path().join("t.db"), &options).await.unwrap();
        assert_eq!(count(&second).await, 1);
        insert(&second, 2).await.unwrap();
        assert!(std::fs::metadata(place.path().join("t.db-wal")).unwrap().len() < 1_000_000);
    }
    assert_eq!(count(&db).await, 2);
}

#[tokio::test]
async fn a_reader_that_stays_does_not_keep_commits_from_being_copied_later() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let db = Db::open(&path, &DbOptions { checkpoint_pages: 10, ..DbOptions::default() }).await.unwrap();
    db.write(|tx| Ok::<_, DbError>(tx.execute_batch("CREATE TABLE big (b BLOB)")?)).await.unwrap();
    let insert = async |rows: usize| {
        for _ in 0..rows {
            let insert = "INSERT INTO big VALUES (zeroblob(10000))";
            db.write(move |tx| Ok::<_, DbError>(tx.execute(insert, [])?)).await.unwrap();
        }
    };
    let mut reader = Connection::open(&path).unwrap();
    let reading = reader.transaction().unwrap();
    let count = |conn: &Connection| -> i64 {
        conn.query_row("SELECT count(*) FROM big", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&reading), 0);
    insert(100).await;
    assert_eq!(count(&reading), 0, "a snapshot does not move");
    let before = std::fs::metadata(&path).unwrap().len();
    drop(reading);
    insert(100).await;
    assert!(std::fs::metadata(&path).unwrap().len() > before + 500_000);
    assert_eq!(count(&reader), 200);
}

#[tokio::test]
async fn a_listener_that_missed_hints_is_told_to_look_at_everything() {
    let bus = LocalBus::new(1);
    let mut hints = bus.subscribe();
    let hint = Hint { topic: "t", key: "k".into() };
    bus.publish(hint.clone());
    bus.publish(hint.clone());
    assert_eq!(hints.next().await, None);
    assert_eq!(hints.next().await, Some(hint));
}

#[tokio::test]
async fn a_transaction_larger_than_the_page_cache_is_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let options = DbOptions { cache_kib: 64, ..DbOptions::default() };
    let db = Db::open(&dir.path().join("t.db"), &options).await.unwrap();
    db.write(|tx| Ok::<_, DbError>(tx.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB)")?))
        .await
        .unwrap();
    let path = dir.path().join("t.db");
    let fill = move |tx: &Transaction<'_>, from: i64| {
        for n in from..from + 2_000 {
            tx.execute("INSERT INTO t VALUES (?1, zeroblob(2000))", [n])?;
        }
        // Most of it is in the log by now, and nobody else may see any of it.
        let other = tidegate_db::rusqlite::Connection::open(&path)?;
        Ok::<i64, DbError>(other.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
    };
    let first = fill.clone();
    let seen = db.write(move |tx| first(tx, 0)).await.unwrap();
    assert_eq!((seen, count(&db).await), (0, 2_000));
    let failed: Result<(), DbError> = db
        .write(move |tx| {
            assert_eq!(fill(tx, 2_000)?, 2_000);
            Err(DbError::Constraint("planted".to_owned()))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(count(&db).await, 2_000);
    let sound = db
        .read(|conn| Ok::<String, DbError>(conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?));
    assert_eq!(sound.await.unwrap(), "ok");
}
