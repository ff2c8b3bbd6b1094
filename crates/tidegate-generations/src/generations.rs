//! The handle on generations.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_db::KeyedLocks;
use tidegate_log::Log;
use tidegate_types::{Clock, Entropy, GenerationId, Limits, StreamPath, Timestamp};
use tokio::sync::Notify;

use crate::announce::Teller;
use crate::work::Attendance;
use crate::{Announce, Framework, Generation, GenerationStore, GenerationsError, Row, Status};

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct GenerationsConfig {
    /// Frameworks that outside workers run.
    pub external: Vec<String>,
    /// How long finished generations are kept.
    pub retention: Duration,
}

impl GenerationsParts {
    pub(crate) fn knows(&self, framework: &str) -> bool {
        self.config.external.iter().any(|known| known == framework) || self.built_in(framework).is_some()
    }

    /// The framework of this name that the server itself runs; outside workers go first where the
    /// operator names them.
    pub(crate) fn built_in(&self, name: &str) -> Option<&Arc<dyn Framework>> {
        if self.config.external.iter().any(|known| known == name) {
            return None;
        }
        self.frameworks.iter().find(|framework| framework.name() == name)
    }
}

/// What generations are made of; the binary wires it.
pub struct GenerationsParts {
    /// The tables.
    pub store: Arc<dyn GenerationStore>,
    /// The streams.
    pub log: Log,
    /// Who tells the owner.
    pub announce: Arc<dyn Announce>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids and leases.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// What the operator decides.
    pub config: GenerationsConfig,
    /// What the server itself can run; a [`Runner`](crate::Runner) does.
    pub frameworks: Vec<Arc<dyn Framework>>,
}

/// Generations. Cheap to clone.
#[derive(Clone)]
pub struct Generations {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: GenerationsParts,
    /// One step of one generation at a time; the log's `expect_tail` is the fence behind it.
    pub(crate) locks: KeyedLocks<GenerationId>,
    /// Those whose row could not be written after their record was.
    pub(crate) behind: Mutex<HashSet<GenerationId>>,
    /// Those that a claim is looking at.
    pub(crate) claiming: Mutex<HashSet<GenerationId>>,
    /// Told when something starts to wait for a worker.
    pub(crate) waiting: Notify,
    /// Which frameworks have somebody who works on them.
    pub(crate) attendance: Attendance,
    pub(crate) teller: Teller,
}

impl fmt::Debug for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generations").finish_non_exhaustive()
    }
}

impl Generations {
    /// Opens the generations: brings rows that fell behind their streams up to date, and gives
    /// workers that could not report while the server was away their whole lease again.
    ///
    /// # Errors
    /// The database or a stream cannot be read.
    pub async fn open(parts: GenerationsParts) -> Result<Self, GenerationsError> {
        let attendance = Attendance::since(parts.clock.now());
        let opened = Self {
            inner: Arc::new(Inner {
                parts,
                locks: KeyedLocks::default(),
                behind: Mutex::default(),
                claiming: Mutex::default(),
                waiting: Notify::new(),
                attendance,
                teller: Teller::default(),
            }),
        };
        opened.parts().store.extend_leases(opened.now()).await?;
        opened.mend_all().await?;
        opened.tell_soon();
        Ok(opened)
    }

    /// Where the stream of a generation lives.
    #[must_use]
    pub fn stream_path(id: &GenerationId) -> StreamPath {
        StreamPath::of_generation(id)
    }

    /// A generation by its id, whosever it is.
    ///
    /// # Errors
    /// The database or the stream cannot be read.
    pub async fn lookup(&self, id: &GenerationId) -> Result<Option<Generation>, GenerationsError> {
        match self.row(id).await? {
            Some(row) => Ok(Some(self.placed(row.state.record).await?)),
            None => Ok(None),
        }
    }

    /// Works through what is due, a bounded piece of it: lost workers, what owners are still to be
    /// told, records past their retention. Answers when to call again.
    ///
    /// # Errors
    /// The database or a stream cannot be written; nothing is lost, call again later.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, GenerationsError> {
        self.mend_behind().await?;
        let lapsed = self.end_lapsed(now).await?;
        let removed = self.remove_old(now).await?;
        self.tell(now).await?;
        // Leases may be as short as 5 s and owners are told at most once a second.
        let idle = if lapsed || removed { Duration::ZERO } else { Duration::from_secs(1) };
        Ok(now.plus(idle))
    }

    pub(crate) fn parts(&self) -> &GenerationsParts {
        &self.inner.parts
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts().clock.now()
    }

    /// The row, brought up to date first if it is known to be behind.
    pub(crate) async fn row(&self, id: &GenerationId) -> Result<Option<Row>, GenerationsError> {
        if self.inner.behind.lock().unwrap_or_else(PoisonError::into_inner).contains(id) {
            let _held = self.inner.locks.lock(id.clone()).await;
            return self.mend(id).await;
        }
        Ok(self.parts().store.lookup(id).await?)
    }

    /// The record with its place in the queue, if it waits, and a word if it waits for nobody.
    pub(crate) async fn placed(&self, mut record: Generation) -> Result<Generation, GenerationsError> {
        if record.status == Status::Pending {
            record.queue_place = self.parts().store.queue_place(&record.id).await?;
            if self.inner.attendance.is_deserted(&record.framework, self.now()) {
                let waits = record.message.as_deref().unwrap_or("Waiting for a worker");
                let words = format!("{waits}; no worker asks for `{}` at the moment", record.framework);
                record.message = Some(words);
            }
        }
        Ok(record)
    }
}
