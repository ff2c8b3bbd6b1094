//! The bounded buffer between those who report events and the store: many rows, one write.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tidegate_db::DbError;
use tidegate_types::{Clock, Timestamp};
use tokio::runtime::Handle;

use super::sums::Sums;
use super::{Actor, AuditEvent, AuditKind, AuditRow};
use crate::store::AuditStore;

/// Rows that wait before reporters have to wait themselves.
const BUFFER_ROWS: usize = 8_192;
/// Rows that wait before a write is started without waiting for the next step.
const EAGER_ROWS: usize = 256;
/// Rows that are kept while the store fails. What comes then is counted and told later: the
/// process must not die of a broken disk before it can say so.
const FAILING_ROWS: usize = 131_072;
/// Rows of one write.
const WRITE_ROWS: usize = 1_024;

#[derive(Default)]
struct Waiting {
    rows: VecDeque<AuditRow>,
    sums: Sums,
    lost: u64,
}

impl Waiting {
    fn add(&mut self, row: AuditRow) {
        if self.rows.len() < FAILING_ROWS {
            self.rows.push_back(row);
        } else {
            if self.lost == 0 {
                tracing::error!("the audit can't be written and its buffer is full; events are being lost");
            }
            self.lost += 1;
        }
    }

    /// Tells of what was lost, once there is room for it.
    fn own_up(&mut self, now: Timestamp) {
        if self.lost > 0 && self.rows.len() < FAILING_ROWS {
            let count = std::mem::take(&mut self.lost);
            let event =
                AuditEvent::new(AuditKind::AuditLost, Actor::Server).detail(json!({ "count": count }));
            self.rows.push_back(event.at(now));
        }
    }
}

/// Rows on their way to the store.
pub(crate) struct AuditBuffer {
    waiting: Mutex<Waiting>,
    /// Held while rows are being written, so that they keep their order.
    writing: tokio::sync::Mutex<()>,
    flush_started: AtomicBool,
    store: Arc<dyn AuditStore>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for AuditBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditBuffer").finish_non_exhaustive()
    }
}

impl AuditBuffer {
    pub(crate) fn new(store: Arc<dyn AuditStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            flush_started: AtomicBool::new(false),
            store,
            clock,
        }
    }

    /// Takes an event; waits for the store only when the buffer is full.
    pub(crate) async fn record(self: &Arc<Self>, event: AuditEvent) {
        if self.push(event) >= BUFFER_ROWS {
            // Whoever reports into a full buffer pays for emptying it: memory stays bounded and
            // nothing is dropped. A store that fails keeps its rows here for the next try.
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "the audit could not be written");
            }
        }
    }

    /// Takes an event where nothing can be awaited (a connection's end). Bounded by the caps on
    /// connections, not by the buffer. Answers how many wait.
    pub(crate) fn push(self: &Arc<Self>, event: AuditEvent) -> usize {
        let now = self.clock.now();
        self.put(now, |waiting| {
            if let Some(event) = waiting.sums.take(event, now) {
                waiting.add(event.at(now));
            }
        })
    }

    /// Takes a row of an event that is never summed up, as those of connections are.
    pub(crate) fn push_row(self: &Arc<Self>, row: AuditRow) {
        self.put(row.at, |waiting| waiting.add(row));
    }

    fn put(self: &Arc<Self>, now: Timestamp, put: impl FnOnce(&mut Waiting)) -> usize {
        let count = {
            let mut waiting = self.lock();
            let due = waiting.sums.drain(now, false);
            waiting.rows.extend(due);
            put(&mut waiting);
            waiting.rows.len()
        };
        if count >= EAGER_ROWS {
            self.flush_soon();
        }
        count
    }

    /// Starts a write, unless one was started already: a second of opened streams would be a heap of
    /// rows in between of what stays.
    fn flush_soon(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.flush_started.swap(true, Ordering::AcqRel) {
            return;
        }
        let buffer = Arc::clone(self);
        runtime.spawn(async move {
            if let Err(error) = buffer.flush().await {
                tracing::error!(%error, "the audit could not be written");
            }
            buffer.flush_started.store(false, Ordering::Release);
        });
    }

    /// Writes everything that waited when it was called, sums of past minutes included.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<(), DbError> {
        self.write(false).await
    }

    /// Writes everything, the sums of the running minute included.
    pub(crate) async fn flush_all(self: &Arc<Self>) -> Result<(), DbError> {
        self.write(true).await
    }

    /// Apart from the caller, who may stop waiting while rows are neither here nor stored.
    async fn write(self: &Arc<Self>, all: bool) -> Result<(), DbError> {
        let buffer = Arc::clone(self);
        let written = tokio::spawn(async move { buffer.write_now(all).await }).await;
        written.unwrap_or_else(|_| Err(DbError::Bug("writing the audit panicked".to_owned())))
    }

    async fn write_now(&self, all: bool) -> Result<(), DbError> {
        let _turn = self.writing.lock().await;
        let now = self.clock.now();
        let mut left = {
            let mut waiting = self.lock();
            let due = waiting.sums.drain(now, all);
            waiting.rows.extend(due);
            waiting.rows.len()
        };
        while left > 0 {
            let rows: Vec<AuditRow> = {
                let mut waiting = self.lock();
                let count = left.min(WRITE_ROWS).min(waiting.rows.len());
                waiting.rows.drain(..count).collect()
            };
            if rows.is_empty() {
                break;
            }
            left -= rows.len();
            let rows = Arc::new(rows);
            if let Err(error) = self.store.append_audit(Arc::clone(&rows)).await {
                let mut waiting = self.lock();
                let rows = Arc::try_unwrap(rows).unwrap_or_else(|shared| shared.to_vec());
                rows.into_iter().rev().for_each(|row| waiting.rows.push_front(row));
                return Err(error);
            }
            self.lock().own_up(now);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditEntry, AuditFilter, AuditPage, AuditVerdict};
    use tidegate_types::SystemClock;

    /// A store that fails until it is mended.
    #[derive(Default)]
    struct Broken {
        mended: AtomicBool,
        kept: Mutex<Vec<AuditRow>>,
    }

    #[async_trait::async_trait]
    impl AuditStore for Broken {
        async fn append_audit(&self, rows: Arc<Vec<AuditRow>>) -> Result<(), DbError> {
            if !self.mended.load(Ordering::Acquire) {
                return Err(DbError::StorageFull);
            }
            self.kept.lock().unwrap().extend(rows.iter().cloned());
            Ok(())
        }

        async fn list_audit(&self, _: AuditFilter, _: AuditPage) -> Result<Vec<AuditEntry>, DbError> {
            Ok(Vec::new())
        }

        async fn verify_audit(&self) -> Result<AuditVerdict, DbError> {
            Err(DbError::StorageFull)
        }

        async fn trim_audit(&self, _: Timestamp, _: u32) -> Result<u64, DbError> {
            Ok(0)
        }
    }

    #[tokio::test]
    async fn a_failing_store_bounds_memory_and_what_was_lost_is_told() {
        let store = Arc::new(Broken::default());
        let buffer = Arc::new(AuditBuffer::new(Arc::clone(&store) as _, Arc::new(SystemClock)));
        for _ in 0..FAILING_ROWS + 5 {
            buffer.push(AuditEvent::new(AuditKind::Admin, Actor::Operator));
        }
        assert_eq!(buffer.flush().await, Err(DbError::StorageFull));
        store.mended.store(true, Ordering::Release);
        buffer.flush_all().await.unwrap();
        buffer.flush_all().await.unwrap();
        let kept = store.kept.lock().unwrap();
        assert_eq!(kept.len(), FAILING_ROWS + 1);
        let last = kept[FAILING_ROWS].fields();
        assert_eq!((last.kind, last.detail), ("audit-lost", r#"{"count":5}"#));
    }
}
