//! The bounded buffer between those who report events and the store: many rows, one write.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_db::DbError;
use tidegate_types::Clock;

use super::sums::Sums;
use super::{AuditEvent, AuditRow};
use crate::store::AuditStore;

/// Rows that wait before reporters have to wait themselves.
const BUFFER_ROWS: usize = 8_192;
/// Rows that wait before a write is started without waiting for the next step.
const EAGER_ROWS: usize = 256;
/// Rows of one write.
const WRITE_ROWS: usize = 1_024;

#[derive(Default)]
struct Waiting {
    rows: VecDeque<AuditRow>,
    sums: Sums,
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
        let waiting = self.push(event);
        if waiting >= BUFFER_ROWS {
            // Whoever reports into a full buffer pays for emptying it: memory stays bounded and
            // nothing is dropped. A store that fails keeps its rows here for the next try.
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "the audit could not be written");
            }
        } else if waiting >= EAGER_ROWS && !self.flush_started.swap(true, Ordering::AcqRel) {
            let buffer = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(error) = buffer.flush().await {
                    tracing::error!(%error, "the audit could not be written");
                }
                buffer.flush_started.store(false, Ordering::Release);
            });
        }
    }

    /// Takes an event where nothing can be awaited (a connection's end). Bounded by the caps on
    /// connections, not by the buffer.
    pub(crate) fn push(&self, event: AuditEvent) -> usize {
        let now = self.clock.now();
        let mut waiting = self.lock();
        let due = waiting.sums.drain(now, false);
        waiting.rows.extend(due);
        if let Some(event) = waiting.sums.take(event, now) {
            waiting.rows.push_back(event.at(now));
        }
        waiting.rows.len()
    }

    /// Writes everything that waited when it was called, sums of past minutes included.
    pub(crate) async fn flush(&self) -> Result<(), DbError> {
        self.write(false).await
    }

    /// Writes everything, the sums of the running minute included.
    pub(crate) async fn flush_all(&self) -> Result<(), DbError> {
        self.write(true).await
    }

    async fn write(&self, all: bool) -> Result<(), DbError> {
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
            if let Err(error) = self.store.append_audit(rows.clone()).await {
                let mut waiting = self.lock();
                rows.into_iter().rev().for_each(|row| waiting.rows.push_front(row));
                return Err(error);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
