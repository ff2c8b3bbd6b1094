//! The one writer: many jobs, one commit.
//!
//! A thread owns the only connection that writes. It takes what waits, runs each job in a
//! savepoint of one transaction, commits once, and only then tells the jobs. A job that fails
//! or panics loses its savepoint and harms nobody else. The first has none, for which SQLite would keep
//! a copy of each page that it changes: when it fails, the transaction ends with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use crate::checkpoint::{self, Checkpoints};
use crate::error::{Failed, note_failure};
use crate::{Db, DbError};

/// Work for the writer that wants to hear of its commit on the writer's own thread, before any
/// later job runs. Most callers want [`Db::write`] instead.
pub trait WriteJob: Send + 'static {
    /// Does the work. An error rolls back this job alone.
    ///
    /// # Errors
    /// Whatever the statements said.
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), DbError>;

    /// Called once, after the commit (`Ok`) or after the job or the commit failed.
    /// Must be quick and must not panic: it runs between two commits.
    fn done(self: Box<Self>, outcome: Result<(), DbError>);

    /// Bytes that the job has written and holds in memory until it is done. Bounds how much joins one
    /// commit.
    fn written(&self) -> usize {
        0
    }
}

pub(crate) type Exclusive = Box<dyn FnOnce(&mut Connection) + Send>;

pub(crate) enum Command {
    Job(Box<dyn WriteJob>),
    Exclusive(Exclusive),
}

/// Bytes after which nothing more joins a commit.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

pub(crate) struct WriterOptions {
    pub(crate) group_jobs: usize,
    pub(crate) queue_jobs: usize,
    pub(crate) checkpoint_pages: u32,
}

pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Command>>,
    failure: watch::Receiver<Option<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(conn: Connection, path: &Path, options: WriterOptions) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(options.queue_jobs.max(1));
        let (failed, failure) = watch::channel(None);
        let checkpoints = Checkpoints::start(path, options.checkpoint_pages, failed.clone())?;
        let group_jobs = options.group_jobs.max(1);
        let state = WriterThread { conn, checkpoints, jobs, failed, group_jobs };
        let thread =
            std::thread::Builder::new().name("tidegate-writer".to_owned()).spawn(move || state.run())?;
        Ok(Self { queue: Some(queue), failure, thread: Some(thread) })
    }

    pub(crate) fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failure.clone()
    }

    /// Hands over a command, or the command back with the reason.
    pub(crate) fn send(&self, command: Command) -> Result<(), DbError> {
        self.try_send(command).map_err(|(error, _)| error)
    }

    fn try_send(&self, command: Command) -> Result<(), (DbError, Command)> {
        let closed = || DbError::Unavailable("the writer stopped".to_owned());
        let Some(queue) = &self.queue else { return Err((closed(), command)) };
        queue.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(command) => (DbError::Overloaded, command),
            mpsc::error::TrySendError::Closed(command) => (closed(), command),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the queue lets the thread finish what waits; joining makes sure that the file
        // is closed when the last handle is gone (a test may delete or reopen it at once).
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the database writer had panicked");
        }
    }
}

struct WriterThread {
    conn: Connection,
    checkpoints: Checkpoints,
    jobs: mpsc::Receiver<Command>,
    failed: Failed,
    group_jobs: usize,
}

impl WriterThread {
    fn run(mut self) {
        checkpoint::watch(&self.conn);
        while let Some(command) = self.jobs.blocking_recv() {
            // Where writers and this thread share a core, whoever is about to write is let finish
            // first: their jobs join this commit instead of waiting for the next one.
            std::thread::yield_now();
            self.group(command);
        }
        self.close();
    }

    /// Copies what the log file has, unless writing had stopped: then it stays for the next start, as nothing may
    /// be tried again.
    fn close(self) {
        let Self { conn, checkpoints, failed, .. } = self;
        drop(checkpoints);
        let is_failed = failed.borrow().is_some();
        let closed = if is_failed { checkpoint::none_at_close(&conn) } else { checkpoint::whole(&conn) };
        if let Err(error) = closed {
            tracing::error!(%error, "the database was not closed well; the next start goes on from its log file");
        }
    }

    /// Runs one group: the given command and what waits behind it, up to the bound.
    fn group(&mut self, first: Command) {
        let mut next = Some(first);
        while let Some(command) = next.take() {
            match command {
                Command::Exclusive(run) => run(&mut self.conn),
                Command::Job(job) => {
                    next = self.transaction(job);
                    self.look_after_log();
                }
            }
        }
    }

    fn look_after_log(&mut self) {
        if self.failed.borrow().is_some() {
            return;
        }
        if let Err(error) = self.checkpoints.after_commit(&self.conn) {
            note_failure(&self.failed, "a checkpoint", &error);
        }
    }

    /// One transaction. Returns the command that could not join it, if one was taken.
    fn transaction(&mut self, first: Box<dyn WriteJob>) -> Option<Command> {
        if let Some(reason) = self.failed.borrow().clone() {
            first.done(Err(DbError::Unavailable(reason)));
            return None;
        }
        let mut ran: Vec<(Box<dyn WriteJob>, Result<(), DbError>)> = Vec::new();
        let (mut left_over, mut lost, mut written) = (None, None, 0_usize);
        let tx = match self.conn.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(tx) => tx,
            Err(error) => {
                first.done(Err(error.into()));
                return None;
            }
        };
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            let is_first = ran.is_empty();
            let result = if is_first { run(&tx, job.as_mut()) } else { run_in_savepoint(&tx, job.as_mut()) };
            if tx.is_autocommit() {
                // SQLite took the whole transaction back by itself, as it may when the disk is full.
                // A later job would run outside of any, so nothing more joins and all are told.
                lost =
                    Some(result.clone().err().unwrap_or_else(|| DbError::Bug("no transaction".to_owned())));
            }
            if is_first && lost.is_none() && result.is_err() {
                if let Err(error) = tx.rollback() {
                    note_failure(&self.failed, "a rollback", &error);
                }
                job.done(result);
                return None;
            }
            written = written.saturating_add(job.written());
            ran.push((job, result));
            if lost.is_some() || ran.len() >= self.group_jobs || written >= GROUP_BYTES {
                break;
            }
            match self.jobs.try_recv() {
                Ok(Command::Job(job)) => next = Some(job),
                Ok(exclusive @ Command::Exclusive(_)) => left_over = Some(exclusive),
                Err(_) => {}
            }
        }
        let committed = match lost {
            Some(error) => Err(error),
            None => commit(tx).map_err(|error| {
                note_failure(&self.failed, "a commit", &error);
                DbError::from(error)
            }),
        };
        for (job, result) in ran {
            job.done(result.and(committed.clone()));
        }
        left_over
    }
}

/// Commits by a statement that is parsed once; a transaction that is left takes itself back.
fn commit(tx: Transaction<'_>) -> rusqlite::Result<()> {
    tx.prepare_cached("COMMIT")?.execute([]).map(|_| ())
}

fn run(tx: &Transaction<'_>, job: &mut dyn WriteJob) -> Result<(), DbError> {
    catch_unwind(AssertUnwindSafe(|| job.run(tx)))
        .unwrap_or_else(|_| Err(DbError::Bug("a write panicked".to_owned())))
}

fn run_in_savepoint(tx: &Transaction<'_>, job: &mut dyn WriteJob) -> Result<(), DbError> {
    run_cached(tx, "SAVEPOINT job")?;
    let result = run(tx, job);
    if result.is_err() {
        run_cached(tx, "ROLLBACK TO job")?;
    }
    run_cached(tx, "RELEASE job")?;
    result
}

fn run_cached(tx: &Transaction<'_>, sql: &str) -> Result<(), DbError> {
    tx.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// A closure with its answer kept until the commit.
struct Closure<T, E, F> {
    job: Option<F>,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> WriteJob for Closure<T, E, F>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
    F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
{
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let Some(job) = self.job.take() else {
            return Err(DbError::Bug("a write ran twice".to_owned()));
        };
        let result = job(tx);
        let failed = result.is_err();
        self.result = Some(result);
        // The domain's own error is kept in `result`; this one only asks for the rollback.
        if failed { Err(DbError::Bug("rolled back".to_owned())) } else { Ok(()) }
    }

    fn done(self: Box<Self>, outcome: Result<(), DbError>) {
        let answer = match (outcome, self.result) {
            (Ok(()) | Err(_), Some(Err(error))) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(DbError::Bug("a write never ran".to_owned()).into()),
        };
        // A caller that stopped waiting learns nothing; its write stands or falls all the same.
        let _ = self.answer.send(answer);
    }
}

impl Db {
    /// Runs a write and answers after its commit. An error of the job rolls it back alone.
    ///
    /// Dropping the future does not take the write back.
    ///
    /// # Errors
    /// The job's own error, or a [`DbError`] turned into it.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, done) = oneshot::channel();
        self.submit(Box::new(Closure { job: Some(job), result: None, answer }));
        match done.await {
            Ok(result) => result,
            Err(_) => Err(DbError::Unavailable("the writer stopped".to_owned()).into()),
        }
    }

    /// Hands a job to the writer. If it can't be queued, its `done` is called at once.
    pub fn submit(&self, job: Box<dyn WriteJob>) {
        if let Err((error, Command::Job(job))) = self.inner.writer.try_send(Command::Job(job)) {
            job.done(Err(error));
        }
    }
}
