//! What the gate keeps in memory while it runs: live connections, audit rows on
//! their way, and where the poll of revocations stands; and the bounded background work that keeps them true.
//!
//! Owns: the once-a-second step over these parts.
//! Must not: hold anything that the store could not give again, but for sockets and allowances.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tidegate_db::DbError;
use tidegate_types::{Clock, ConnectionId, ErrorCode, Limits, Offset, StreamPath, Timestamp};

use crate::audit::AuditBuffer;
use crate::connections::{
    Connection, ConnectionFilter, ConnectionInfo, EndReason, NewConnection, Refused, Registry,
};
use crate::revocation::PollCursor;
use crate::store::AuditStore;
use crate::{Gate, Principal};

/// How often the background work is due.
const STEP_EVERY: Duration = Duration::from_secs(1);
/// How often old rows are dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Rows that one sweep drops at most.
const SWEEP_ROWS: u32 = 2_000;
/// How long the table of revocations may be out of reach before nothing is trusted any more.
const STALE_AFTER: Duration = Duration::from_secs(30);
/// Ends of leases that one write stores.
const ENDS_AT_ONCE: usize = 1_024;
const READABLE: i64 = i64::MAX;

/// The parts in memory.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) registry: Arc<Registry>,
    pub(crate) cursor: PollCursor,
    pub(crate) audit: Arc<AuditBuffer>,
    pub(crate) since: Timestamp,
    /// Since when the table of revocations can't be read; `READABLE` while it can.
    unread_since: AtomicI64,
    swept_at: AtomicI64,
}

impl Live {
    pub(crate) fn new(store: Arc<dyn AuditStore>, clock: &Arc<dyn Clock>, limits: &Arc<Limits>) -> Self {
        let now = clock.now();
        let audit = Arc::new(AuditBuffer::new(store, Arc::clone(clock)));
        Self {
            registry: Arc::new(Registry::new(Arc::clone(clock), Arc::clone(limits), Arc::clone(&audit))),
            cursor: PollCursor::default(),
            audit,
            since: now,
            unread_since: AtomicI64::new(READABLE),
            swept_at: AtomicI64::new(now.as_millis()),
        }
    }
}

impl Gate {
    /// Lets a live connection in, or says why not; a refusal spends nothing and ends nobody
    /// else's healthy stream. Dropping the connection frees its slots at once.
    ///
    /// # Errors
    /// A cap is reached, the node drains, or the principal was revoked meanwhile.
    pub fn admit(&self, new: NewConnection) -> Result<Connection, Refused> {
        let now = self.now();
        let principal = new.principal.clone();
        let connection =
            self.inner.live.registry.admit(ConnectionId::generate(now, &*self.inner.entropy), new)?;
        // Registered first, checked second: a revocation either sees the connection or is seen.
        if self.is_revoked(&principal, now) {
            return Err(Refused { code: ErrorCode::InvalidToken, retry_after_s: 0 });
        }
        Ok(connection)
    }

    /// Live connections of this node, oldest first.
    #[must_use]
    pub fn connections(&self, filter: &ConnectionFilter) -> Vec<ConnectionInfo> {
        self.inner.live.registry.list(filter)
    }

    /// How many connections this node serves.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.inner.live.registry.count()
    }

    /// Tells one connection to end; answers whether it was live.
    pub fn disconnect(&self, id: ConnectionId, reason: EndReason) -> bool {
        self.inner.live.registry.end(id, reason)
    }

    /// Tells every connection to end with `drain`; no further one is let in.
    pub fn drain(&self) {
        self.inner.live.registry.drain();
    }

    /// Where this session's last connection to a feed ended, if that is at most 120 s ago.
    #[must_use]
    pub fn last_feed_position(&self, principal: &Principal, feed: &StreamPath) -> Option<Offset> {
        let Principal::User(user) = principal else { return None };
        self.inner.live.registry.last_position(user.session_id?, feed)
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.inner.live.registry)
    }

    pub(crate) fn revocation_cursor(&self) -> &PollCursor {
        &self.inner.live.cursor
    }

    pub(crate) fn audit_buffer(&self) -> &Arc<AuditBuffer> {
        &self.inner.live.audit
    }

    pub(crate) fn node_since(&self) -> Timestamp {
        self.inner.live.since
    }

    /// Whether revocations could not be read for so long that nothing may be trusted.
    pub(crate) fn revocations_are_stale(&self) -> bool {
        let since = self.inner.live.unread_since.load(Ordering::Acquire);
        since != READABLE && self.now().since(Timestamp::from_millis(since)) > STALE_AFTER
    }

    /// Background work, bounded: reads revocations, writes what waits, drops what is over.
    /// Answers when it wants to be called again.
    pub async fn step(&self, now: Timestamp) -> Timestamp {
        match self.poll_revocations(now).await {
            Ok(()) => self.inner.live.unread_since.store(READABLE, Ordering::Release),
            Err(error) => {
                tracing::warn!(%error, "revocations could not be read");
                let since = &self.inner.live.unread_since;
                // Only the first failure in a row sets the time.
                let _ =
                    since.compare_exchange(READABLE, now.as_millis(), Ordering::AcqRel, Ordering::Acquire);
                if self.revocations_are_stale() {
                    self.inner.live.registry.end_all(EndReason::Reauth);
                }
            }
        }
        if let age @ 1.. = self.inner.limits.tail_age_seconds {
            self.inner.live.registry.end_aged(now.minus(Duration::from_secs(age)));
        }
        if let Err(error) = self.write_what_waits(now).await {
            tracing::warn!(%error, "ends of leases or audit rows could not be written; they wait");
        }
        if let Err(error) = self.step_accounts(now).await {
            tracing::warn!(%error, "the background work on accounts failed; it is tried again");
        }
        now.plus(STEP_EVERY)
    }

    async fn write_what_waits(&self, now: Timestamp) -> Result<(), DbError> {
        let live = &self.inner.live;
        let ends = live.registry.lease_ends();
        let idle_ms =
            i64::try_from(self.inner.limits.lease_idle_seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
        // Some at a time, so that others can write between.
        for ends in ends.chunks(ENDS_AT_ONCE) {
            self.inner.store.end_leases(ends.to_vec(), idle_ms).await?;
            live.registry.lease_ends_stored(ends);
        }
        live.audit.flush().await?;
        let swept_at = Timestamp::from_millis(live.swept_at.load(Ordering::Acquire));
        if now.since(swept_at) >= SWEEP_EVERY {
            // Where more is left than one sweep may drop, the next step goes on.
            if !self.sweep_live(now).await? {
                live.swept_at.store(now.as_millis(), Ordering::Release);
            }
        }
        Ok(())
    }

    /// Answers whether more is left.
    async fn sweep_live(&self, now: Timestamp) -> Result<bool, DbError> {
        let (live, store) = (&self.inner.live, &self.inner.store);
        live.registry.sweep(now);
        self.inner.fresh.sweep(now, Duration::from_secs(self.inner.limits.ticket_seconds));
        let tickets = store.sweep_tickets(now, SWEEP_ROWS).await?;
        let revoked_before = now.minus(self.inner.config.retention.revocations);
        self.inner.revocations.forget(revoked_before);
        let revocations = store.sweep_revocations(revoked_before, SWEEP_ROWS).await?;
        let audited = store.trim_audit(now.minus(self.inner.config.retention.audit), SWEEP_ROWS).await?;
        Ok([tickets, revocations, audited].into_iter().any(|rows| rows >= u64::from(SWEEP_ROWS)))
    }
}
