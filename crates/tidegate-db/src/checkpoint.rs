//! Checkpoints: copying what was committed from the log file into the database file.
//!
//! Owns: a thread with a connection of its own, which does nearly all of it while commits go on, and the writer's
//! share: what came meanwhile is little, and only where nobody writes can the log file begin at its front again.
//! Must not: let the log file grow without bound. SQLite's file format, "Write-Ahead Logging", §2.1 and §6.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, Row};

use crate::error::{Failed, note_failure};

/// Passes of one run; each copies what came during the one before.
const PASSES: usize = 3;
/// What the writer may copy itself without holding anybody up.
const FEW_PAGES: i64 = 200;
/// At so many times the pages that call for a checkpoint the writer waits for the one that runs.
const PATIENCE: u32 = 8;

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const RAN: u8 = 2;

thread_local! {
    /// Pages in the log file after this thread's last commit.
    static LOGGED: Cell<u32> = const { Cell::new(0) };
}

/// Makes commits of a connection tell how long the log file has become, instead of checkpointing.
pub(crate) fn watch(conn: &Connection) {
    conn.wal_hook(Some(|_: &Wal, pages| {
        LOGGED.set(u32::try_from(pages).unwrap_or(u32::MAX));
        Ok(())
    }));
}

/// Keeps a connection from copying when it is the last to close, as SQLite does by itself.
pub(crate) fn none_at_close(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(|_| ())
}

/// Copies everything and empties the log file, as far as readers let it.
pub(crate) fn whole(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// The writer's end.
pub(crate) struct Checkpoints {
    pages: u32,
    /// Where the log file stood when a checkpoint was last begun: while a reader holds it, not every commit tries.
    begun_at: u32,
    state: Arc<AtomicU8>,
    wake: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// `pages`: how many in the log file call for a checkpoint.
    /// `failed`: told of a failure after which nothing may be tried again.
    pub(crate) fn start(path: &Path, pages: u32, failed: Failed) -> std::io::Result<Self> {
        let state = Arc::new(AtomicU8::new(IDLE));
        let (wake, woken) = mpsc::sync_channel(1);
        let worker = Worker { path: path.to_owned(), conn: None, state: Arc::clone(&state), woken, failed };
        let thread =
            std::thread::Builder::new().name("tidegate-checkpoint".to_owned()).spawn(move || worker.run())?;
        let (wake, thread) = (Some(wake), Some(thread));
        Ok(Self { pages: pages.max(1), begun_at: 0, state, wake, thread })
    }

    /// Looks after the log file. To be called by the writer's thread after its commits.
    ///
    /// # Errors
    /// The writer's own share of a checkpoint failed. The commit stands.
    pub(crate) fn after_commit(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let logged = LOGGED.get();
        if logged < self.begun_at {
            self.begun_at = 0;
        }
        match self.state.load(Ordering::Acquire) {
            RAN => self.finish(conn),
            IDLE if logged >= self.begun_at.saturating_add(self.pages) => {
                self.begun_at = logged;
                self.begin();
                Ok(())
            }
            RUNNING if logged >= self.pages.saturating_mul(PATIENCE) => {
                while self.state.load(Ordering::Acquire) == RUNNING && self.is_alive() {
                    std::thread::park_timeout(std::time::Duration::from_millis(1));
                }
                self.finish(conn)
            }
            _ => Ok(()),
        }
    }

    fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    fn begin(&self) {
        self.state.store(RUNNING, Ordering::Release);
        // The thread takes one word before the next is said, unless it is gone.
        if self.wake.as_ref().is_none_or(|wake| wake.try_send(()).is_err()) {
            self.state.store(RAN, Ordering::Release);
        }
    }

    /// Copies the rest. The next commit then begins at the front of the log file, if no reader is in it.
    fn finish(&self, conn: &Connection) -> rusqlite::Result<()> {
        self.state.store(IDLE, Ordering::Release);
        pass(conn).map(|_| ())
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread had panicked");
        }
    }
}

struct Worker {
    path: PathBuf,
    conn: Option<Connection>,
    state: Arc<AtomicU8>,
    woken: mpsc::Receiver<()>,
    failed: Failed,
}

impl Worker {
    fn run(mut self) {
        while let Ok(()) = self.woken.recv() {
            if let Err(error) = self.passes() {
                // Pages may count as written after a sync that failed: the writer must not try again.
                note_failure(&self.failed, "a checkpoint", &error);
            }
            self.state.store(RAN, Ordering::Release);
        }
    }

    fn passes(&mut self) -> rusqlite::Result<()> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => {
                let conn = Connection::open(&self.path)?;
                none_at_close(&conn)?;
                conn
            }
        };
        for _ in 0..PASSES {
            if pass(&conn)? <= FEW_PAGES {
                break;
            }
        }
        self.conn = Some(conn);
        Ok(())
    }
}

/// Copies what no reader needs any more from the log file. Answers how many pages are left.
fn pass(conn: &Connection) -> rusqlite::Result<i64> {
    let left = |row: &Row<'_>| Ok(row.get::<_, i64>(1)?.saturating_sub(row.get(2)?));
    conn.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], left)
}
