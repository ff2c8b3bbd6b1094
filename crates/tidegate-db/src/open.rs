//! Opening the embedded database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

use crate::write::{Writer, WriterOptions};
use crate::{DbError, OpenError};
use crate::{checkpoint, room};

/// Older versions can lose committed writes when one connection checkpoints while another writes
/// (WAL-reset race, fixed in 3.51.3).
pub const SQLITE_VERSION_FLOOR: (i32, &str) = (3_051_003, "3.51.3");

/// How the database is opened. The defaults are right for one server on one machine.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// Connections for reads.
    pub readers: usize,
    /// Jobs of one group commit at most.
    pub group_jobs: usize,
    /// Jobs that may wait for the writer.
    pub queue_jobs: usize,
    /// How long a statement waits for a lock that another process holds.
    pub busy_timeout: Duration,
    /// WAL pages (4 KiB) after which a checkpoint begins.
    pub checkpoint_pages: u32,
    /// Page cache of the writer, in KiB; each reader has a quarter of it.
    pub cache_kib: u32,
    /// Room that a new log file is given, so that commits need not make it longer; 0: none.
    pub log_file_bytes: u64,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            group_jobs: 1_024,
            queue_jobs: 16_384,
            busy_timeout: Duration::from_secs(5),
            checkpoint_pages: 4_000,
            cache_kib: 4_096,
            log_file_bytes: 0,
        }
    }
}

/// The embedded database. Cheap to clone; the last clone closes the writer.
#[derive(Clone)]
pub struct Db {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) readers: deadpool_sqlite::Pool,
    runtime: tokio::runtime::Handle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last handle may go on the writer's own thread, where the pool finds no runtime to close
        // its connections on.
        let _runtime = self.runtime.enter();
        self.readers.close();
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens or creates the database file; the folder must exist.
    ///
    /// # Errors
    /// SQLite is too old, or the file cannot be opened, locked or written.
    pub async fn open(path: &Path, options: &DbOptions) -> Result<Self, OpenError> {
        check_sqlite_version()?;
        let failed = |reason: String| OpenError::Open { path: path.display().to_string(), reason };
        let connection = {
            let (path, options) = (path.to_owned(), options.clone());
            tokio::task::spawn_blocking(move || open_writer(&path, &options))
                .await
                .map_err(|e| failed(e.to_string()))?
                .map_err(|e| failed(e.to_string()))?
        };
        let writer = Writer::start(
            connection,
            path,
            WriterOptions {
                group_jobs: options.group_jobs,
                queue_jobs: options.queue_jobs,
                checkpoint_pages: options.checkpoint_pages,
            },
        )
        .map_err(|e| failed(e.to_string()))?;
        let readers = open_readers(path, options).map_err(failed)?;
        let runtime = tokio::runtime::Handle::current();
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), writer, readers, runtime }) })
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Becomes `Some(reason)` when storage failed for good and the process should stop.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.inner.writer.failure()
    }

    /// Whether writes and reads work now.
    ///
    /// # Errors
    /// What a read said, or that writing has stopped.
    pub async fn check(&self) -> Result<(), DbError> {
        if let Some(reason) = self.failure().borrow().clone() {
            return Err(DbError::Unavailable(reason));
        }
        self.read(|conn| Ok::<_, DbError>(conn.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }
}

fn check_sqlite_version() -> Result<(), OpenError> {
    let (floor, name) = SQLITE_VERSION_FLOOR;
    if rusqlite::version_number() < floor {
        return Err(OpenError::SqliteTooOld { found: rusqlite::version(), floor: name });
    }
    Ok(())
}

fn open_writer(path: &Path, options: &DbOptions) -> rusqlite::Result<Connection> {
    if options.log_file_bytes > 0 && !room::has_log_file(path) {
        // SQLite deletes the log file of a database without pages, so it gets its first one before.
        connect(path, options)?.close().map_err(|(_, error)| error)?;
        room::make(path, options.log_file_bytes);
    }
    let conn = connect(path, options)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
    conn.set_prepared_statement_cache_capacity(256);
    Ok(conn)
}

/// A connection to a database that has a log file.
fn connect(path: &Path, options: &DbOptions) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.busy_timeout(options.busy_timeout)?;
    // A page in the log file is two writes, and one row of the journal takes several. Only a new file takes this.
    conn.pragma_update(None, "page_size", 4_096)?;
    // The journal mode is asked back: on a file system without shared memory it stays `delete`,
    // and readers would then block the writer.
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(rusqlite::Error::InvalidParameterName(format!("journal mode is {mode}, not wal")));
    }
    Ok(conn)
}

fn open_readers(path: &Path, options: &DbOptions) -> Result<deadpool_sqlite::Pool, String> {
    use deadpool_sqlite::{Config, Hook, HookError, Runtime};
    let (busy, cache_kib) = (options.busy_timeout, options.cache_kib / 4);
    let mut config = Config::new(path);
    config.pool = Some(deadpool_sqlite::PoolConfig::new(options.readers.max(1)));
    config
        .builder(Runtime::Tokio1)
        .map_err(|e| e.to_string())?
        .post_create(Hook::async_fn(move |object, _| {
            Box::pin(async move {
                object
                    .interact(move |conn| {
                        conn.busy_timeout(busy)?;
                        conn.pragma_update(None, "query_only", true)?;
                        checkpoint::none_at_close(conn)?;
                        conn.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
                        conn.set_prepared_statement_cache_capacity(128);
                        Ok::<_, rusqlite::Error>(())
                    })
                    .await
                    .map_err(|e| HookError::message(e.to_string()))?
                    .map_err(HookError::Backend)
            })
        }))
        .build()
        .map_err(|e| e.to_string())
}
