//! A store that fails when it is told to, around any other store.
//!
//! Owns: faults of commits, and the count of look-ups. Only for tests (feature `suite`): the log must keep every promise when
//! a commit is late, fails, or succeeds and is reported as failed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_db::DbError;
use tidegate_types::{Offset, StreamPath, Timestamp};

use super::{CutQuery, Due, Found, Group, Loaded, LogStore, Needs, ReadQuery, Stored, Write};
use crate::LogError;

/// What happens to one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is written, and the error is told.
    Before(DbError),
    /// Everything is written, and an error is told all the same (as when an answer gets lost).
    After(DbError),
    /// It commits in order.
    None,
}

/// A store that fails when it is told to.
#[derive(Clone, Debug)]
pub struct FaultyStore {
    inner: Arc<dyn LogStore>,
    plan: Arc<Mutex<FaultPlan>>,
}

#[derive(Default)]
struct FaultPlan {
    next: VecDeque<Fault>,
    every: Option<usize>,
    seen: usize,
    held: Option<Vec<Box<dyn Group>>>,
    looks: usize,
    late: Option<tokio::sync::mpsc::UnboundedSender<Box<dyn Group>>>,
}

impl std::fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultPlan").field("next", &self.next).finish_non_exhaustive()
    }
}

impl FaultyStore {
    /// Around a store, without faults yet.
    #[must_use]
    pub fn around(inner: Arc<dyn LogStore>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Around a store: every group reaches it a little later, in order. Needs a running tokio runtime.
    #[must_use]
    pub fn late(inner: Arc<dyn LogStore>) -> Self {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Box<dyn Group>>();
        let slow = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Some(group) = receiver.recv().await {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                slow.commit(group);
            }
        });
        let plan = FaultPlan { late: Some(sender), ..FaultPlan::default() };
        Self { inner, plan: Arc::new(Mutex::new(plan)) }
    }

    /// The next group meets this fault (one more call, the one after it).
    pub fn next_group(&self, fault: Fault) {
        self.lock().next.push_back(fault);
    }

    /// Every n-th group fails, before and after its commit in turn.
    pub fn fail_every(&self, n: usize) {
        self.lock().every = Some(n.max(1));
    }

    /// Groups wait from now on.
    pub fn hold(&self) {
        self.lock().held.get_or_insert_default();
    }

    /// Groups go on, those that waited first.
    pub fn release(&self) {
        let held = self.lock().held.take().unwrap_or_default();
        held.into_iter().for_each(|group| self.inner.commit(group));
    }

    /// How many streams were looked up.
    #[must_use]
    pub fn looks(&self) -> usize {
        self.lock().looks
    }

    fn lock(&self) -> MutexGuard<'_, FaultPlan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultPlan {
    fn next_fault(&mut self) -> Fault {
        if let Some(fault) = self.next.pop_front() {
            return fault;
        }
        self.seen += 1;
        let failure = || DbError::Unavailable("a planted fault".to_owned());
        match self.every {
            Some(n) if self.seen.is_multiple_of(2 * n) => Fault::After(failure()),
            Some(n) if self.seen.is_multiple_of(n) => Fault::Before(failure()),
            _ => Fault::None,
        }
    }
}

#[async_trait::async_trait]
impl LogStore for FaultyStore {
    fn commit(&self, group: Box<dyn Group>) {
        let mut plan = self.lock();
        let group: Box<dyn Group> = Box::new(FaultyGroup { inner: group, fault: plan.next_fault() });
        if let Some(held) = &mut plan.held {
            held.push(group);
            return;
        }
        let late = plan.late.clone();
        drop(plan);
        match late {
            // Gone with its runtime: then nobody waits for the group either.
            Some(late) => drop(late.send(group)),
            None => self.inner.commit(group),
        }
    }

    async fn lookup(&self, path: &StreamPath) -> Result<Option<Stored>, LogError> {
        self.lock().looks += 1;
        self.inner.lookup(path).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&StreamPath>,
        limit: usize,
    ) -> Result<Vec<Stored>, LogError> {
        self.inner.list(prefix, after, limit).await
    }

    async fn read(&self, query: ReadQuery) -> Result<Option<Found>, LogError> {
        self.inner.read(query).await
    }

    async fn list_due(&self, now: Timestamp, limit: usize) -> Result<Due, LogError> {
        self.inner.list_due(now, limit).await
    }

    async fn find_cut(&self, query: CutQuery) -> Result<Option<Offset>, LogError> {
        self.inner.find_cut(query).await
    }

    async fn purge(&self, chunks: usize) -> Result<bool, LogError> {
        self.inner.purge(chunks).await
    }

    async fn merge(&self, before: Timestamp) -> Result<bool, LogError> {
        self.inner.merge(before).await
    }
}

struct FaultyGroup {
    inner: Box<dyn Group>,
    fault: Fault,
}

impl Group for FaultyGroup {
    fn begin(&mut self) -> Needs {
        self.inner.begin()
    }

    fn plan(&mut self, loaded: Loaded) -> Result<Vec<Write>, DbError> {
        let writes = self.inner.plan(loaded)?;
        match &self.fault {
            Fault::Before(error) => Err(error.clone()),
            Fault::After(_) | Fault::None => Ok(writes),
        }
    }

    fn rolled_back(&mut self) {
        self.inner.rolled_back();
    }

    fn done(self: Box<Self>, outcome: Result<(), DbError>) {
        let told = match self.fault {
            Fault::After(error) => outcome.and(Err(error)),
            Fault::Before(_) | Fault::None => outcome,
        };
        self.inner.done(told);
    }
}
