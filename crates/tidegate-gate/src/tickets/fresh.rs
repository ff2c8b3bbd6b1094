//! Tickets that this node made lately and nobody has tried to spend: they need no look, neither before the
//! write that spends them nor in it.
//!
//! Owns: a bounded memory of them. Only a hint: a ticket is spent when it has a lease, and that the store alone
//! knows. Keeps those who send what was never minted here from reaching the one writer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_types::Timestamp;

use super::{NewTicket, TicketKey};
use crate::Principal;

/// Tickets in one half; what does not fit is looked up.
const TICKETS_MAX: usize = 16_384;

/// A ticket as its mint stored it.
#[derive(Debug)]
pub(crate) struct FreshTicket {
    /// Without the text of its principal.
    pub(crate) ticket: NewTicket,
    pub(crate) minter: Principal,
}

type Half = HashMap<u64, Box<FreshTicket>>;

#[derive(Debug, Default)]
pub(crate) struct Fresh(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: Half,
    old: Half,
    turned_at: Option<Timestamp>,
}

impl Fresh {
    /// Notes a ticket that was minted and is stored.
    pub(super) fn note(&self, fresh: FreshTicket, life: Duration) {
        let (now, short) = (fresh.ticket.created_at, short(&fresh.ticket.digest));
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turned_at = *halves.turned_at.get_or_insert(now);
        let mut gone = Half::new();
        if halves.young.len() >= TICKETS_MAX || now.since(turned_at) >= life {
            let young = std::mem::take(&mut halves.young);
            gone = std::mem::replace(&mut halves.old, young);
            halves.turned_at = Some(now);
        }
        halves.young.insert(short, Box::new(fresh));
        drop(halves);
        // Many at once: nobody should wait for that.
        drop(gone);
    }

    /// The ticket, if it was noted; it is not from now on.
    pub(super) fn take(&self, key: TicketKey) -> Option<Box<FreshTicket>> {
        let TicketKey::Ticket(digest) = key else { return None };
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = halves.young.remove(&short(&digest)).or_else(|| halves.old.remove(&short(&digest)));
        found.filter(|fresh| fresh.ticket.digest == digest)
    }

    /// Forgets tickets that have run out.
    pub(crate) fn sweep(&self, now: Timestamp, life: Duration) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.turned_at.is_some_and(|at| now.since(at) >= life * 2) {
            *halves = Halves::default();
        }
    }
}

/// Of two that share it the younger is known.
fn short(digest: &[u8; 32]) -> u64 {
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
