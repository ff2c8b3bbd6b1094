//! Tickets that this node made lately and nobody has tried to spend: they need no look before the
//! write that spends them.
//!
//! Owns: a bounded memory of a few bytes a ticket. Only a hint: the store alone knows what a ticket is and
//! whether it was spent. Keeps those who send what was never minted here from reaching the one writer.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_types::Timestamp;

use super::TicketKey;

/// Tickets in one half; what does not fit is looked up.
const TICKETS_MAX: usize = 32_768;

#[derive(Debug, Default)]
pub(crate) struct Fresh(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: HashSet<u64>,
    old: HashSet<u64>,
    turned_at: Option<Timestamp>,
}

impl Fresh {
    /// Notes a ticket that was minted and is stored.
    pub(super) fn note(&self, digest: [u8; 32], now: Timestamp, life: Duration) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turned_at = *halves.turned_at.get_or_insert(now);
        if halves.young.len() >= TICKETS_MAX || now.since(turned_at) >= life {
            halves.old = std::mem::take(&mut halves.young);
            halves.turned_at = Some(now);
        }
        halves.young.insert(short(digest));
    }

    /// Whether the ticket was noted; it is not from now on.
    pub(super) fn take(&self, key: TicketKey) -> bool {
        let TicketKey::Ticket(digest) = key else { return false };
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.remove(&short(digest)) || halves.old.remove(&short(digest))
    }

    /// Forgets tickets that have run out.
    pub(crate) fn sweep(&self, now: Timestamp, life: Duration) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.turned_at.is_some_and(|at| now.since(at) >= life * 2) {
            *halves = Halves::default();
        }
    }
}

/// Two that share it are told apart by the store.
fn short(digest: [u8; 32]) -> u64 {
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
