//! What all handles of one log share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_types::{Clock, StreamPath};
use tokio::sync::oneshot;

use crate::changes::ChangeLog;
use crate::commit::{Command, Full, Heads, Moved, Queue, hand_over};
use crate::known::{Known, Moment};
use crate::renewals::{DueRenewal, Renewals};
use crate::store::{Chunk, LogStore, Stored};
use crate::tail::{Handle, News, Registry};
use crate::{LogOptions, ReadError};

pub(crate) struct Core {
    pub(crate) store: Arc<dyn LogStore>,
    pub(crate) options: LogOptions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Queue,
    pub(crate) renewals: Renewals,
    pub(crate) registry: Arc<Registry>,
    pub(crate) known: Known,
    pub(crate) changes: ChangeLog,
    heads: Mutex<Heads>,
}

impl Core {
    pub(crate) fn new(store: Arc<dyn LogStore>, options: LogOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            queue: Queue::new(options.queue_writes, options.queue_bytes),
            renewals: Renewals::default(),
            changes: ChangeLog::default(),
            known: Known::default(),
            registry: Arc::new(Registry::new(options.ring_records, options.ring_bytes)),
            heads: Mutex::new(Heads::new(options.heads)),
            store,
            options,
            clock,
        }
    }

    pub(crate) fn lock_heads(&self) -> MutexGuard<'_, Heads> {
        self.heads.lock().unwrap_or_else(|poisoned| {
            // A bug stopped a plan half way: what is remembered may be wrong, the store is not.
            self.heads.clear_poison();
            let mut heads = PoisonError::into_inner(poisoned);
            heads.clear();
            heads
        })
    }

    /// Queues a command for the next group commit.
    pub(crate) fn push(self: &Arc<Self>, command: Command) -> Result<(), Full> {
        if self.queue.push(command)? {
            hand_over(self);
        }
        Ok(())
    }

    /// Queues a command and waits for its answer.
    pub(crate) async fn ask<T, E>(
        self: &Arc<Self>,
        overloaded: E,
        command: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Command,
    ) -> Result<T, E>
    where
        E: From<tidegate_db::DbError>,
    {
        let (answer, answered) = oneshot::channel();
        if self.push(command(answer)).is_err() {
            return Err(overloaded);
        }
        let stopped = || tidegate_db::DbError::Unavailable("the writer stopped".to_owned()).into();
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Notes what a commit did to streams and their lives.
    pub(crate) fn note_commits(&self, all: &[Moved]) {
        self.known.note(all.iter());
        for moved in all {
            if moved.deleted {
                self.renewals.forget(moved.stored.info.id);
            } else if moved.written {
                self.renewals.note_write(&moved.stored, moved.at);
            }
        }
    }

    /// Shows live readers what a commit did to a stream; dropping the answer tells them. `chunks`: the group's.
    pub(crate) fn publish(&self, moved: &Moved, chunks: &[Chunk]) -> Option<News> {
        self.changes.note(&moved.stored.info.path);
        self.registry.publish(&moved.stored.info, moved.deleted, moved.own(chunks))
    }

    /// Notes that a stream was read, which renews a sliding life.
    pub(crate) fn note_read(self: &Arc<Self>, stored: &Stored) {
        if stored.info.ttl.is_some()
            && let Some(due) = self.renewals.note_read(stored, self.clock.now())
        {
            self.push_renewal(due);
        }
    }

    pub(crate) fn push_renewal(self: &Arc<Self>, due: DueRenewal) {
        let DueRenewal { path, id, at } = due;
        // When the queue is full the renewal stays in memory, and the next tenth tries again.
        let _ = self.push(Command::Renew { path, id, at });
    }

    /// The stream at a path, if its time is not up.
    pub(crate) async fn find(&self, path: &StreamPath) -> Result<Stored, ReadError> {
        Ok(self.sight(path).await?.stored)
    }

    /// The same, with the moment when it was looked for.
    pub(crate) async fn sight(&self, path: &StreamPath) -> Result<Sighting, ReadError> {
        let (known, moment) = self.known.find(path);
        // One whose time seems up may have been renewed by what only the store knows.
        if let Some(stored) = known.filter(|stored| self.lives(stored)) {
            return Ok(Sighting { stored, moment });
        }
        let mut stored = self.store.lookup(path).await?.ok_or(ReadError::NotFound)?;
        stored.info.share(path);
        if !stored.gone && self.lives(&stored) {
            self.known.learn(&stored, moment);
            return Ok(Sighting { stored, moment });
        }
        Err(if stored.forks > 0 { ReadError::Gone } else { ReadError::NotFound })
    }

    /// Why a stream can't be read that was there, or was looked for, a moment ago.
    pub(crate) async fn absence(&self, path: &StreamPath) -> ReadError {
        self.find(path).await.err().unwrap_or(ReadError::NotFound)
    }

    pub(crate) fn lives(&self, stored: &Stored) -> bool {
        !self.renewals.is_expired(stored, self.clock.now())
    }

    /// Joins the live readers of a stream. What the handle and the stream say together is no older than
    /// this call: its readers are told of a commit after whoever made it.
    pub(crate) async fn attach(&self, path: &StreamPath) -> Result<(Handle, Stored), ReadError> {
        let seen = self.sight(path).await?;
        self.attach_to(seen).await
    }

    /// The same for a stream that was found already.
    pub(crate) async fn attach_to(&self, seen: Sighting) -> Result<(Handle, Stored), ReadError> {
        let Sighting { mut stored, mut moment } = seen;
        loop {
            let handle = self.registry.join(&stored.info);
            if handle.is_settled() {
                return Ok((handle, stored));
            }
            if self.known.is_unmoved(moment) {
                handle.settle(&stored.info);
                return Ok((handle, stored));
            }
            // Between the look and the joining a commit may have passed unseen: look again.
            let again = self.sight(&stored.info.path).await?;
            if again.stored.info.id == stored.info.id {
                handle.settle(&again.stored.info);
                return Ok((handle, again.stored));
            }
            Sighting { stored, moment } = again;
        }
    }
}

/// A stream that was found, and when it was looked for.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) stored: Stored,
    pub(crate) moment: Moment,
}
