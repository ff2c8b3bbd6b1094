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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServicePrincipal;
    use crate::connections::StreamKind;
    use crate::tickets::StreamRef;
    use tidegate_types::{KeyId, OsEntropy, TicketId};

    const LIFE: Duration = Duration::from_secs(60);

    fn ticket(digest: [u8; 32], at: i64) -> FreshTicket {
        let (created_at, entropy) = (Timestamp::from_millis(at), &OsEntropy);
        let ticket = NewTicket {
            digest,
            id: TicketId::generate(created_at, entropy),
            principal: String::new(),
            stream: StreamRef { path: "a".parse().unwrap(), id: 1 },
            kind: StreamKind::Stream,
            start: None,
            origin: None,
            origin_own: false,
            created_at,
            expires_at: created_at.plus(LIFE),
        };
        let key_id = KeyId::generate(created_at, entropy);
        let minter = ServicePrincipal { key_id, name: "".into(), scopes: [].into(), owner: None };
        FreshTicket { ticket, minter: Principal::Service(minter) }
    }

    #[test]
    fn a_ticket_is_given_back_once_and_only_to_who_shows_it() {
        let fresh = Fresh::default();
        fresh.note(ticket([7; 32], 0), LIFE);
        assert!(fresh.take(TicketKey::Handle([7; 32])).is_none());
        assert!(fresh.take(TicketKey::Ticket([7; 32])).is_some());
        assert!(fresh.take(TicketKey::Ticket([7; 32])).is_none());
        let mut other = [7; 32];
        other[31] = 8;
        fresh.note(ticket([7; 32], 0), LIFE);
        assert!(fresh.take(TicketKey::Ticket(other)).is_none(), "it shares no more than eight bytes");
    }

    #[test]
    fn tickets_are_known_for_their_life_and_are_bounded() {
        let fresh = Fresh::default();
        fresh.note(ticket([1; 32], 0), LIFE);
        fresh.note(ticket([2; 32], 59_000), LIFE);
        fresh.note(ticket([3; 32], 60_000), LIFE);
        assert!(fresh.take(TicketKey::Ticket([2; 32])).is_some());
        fresh.note(ticket([4; 32], 120_000), LIFE);
        assert!(fresh.take(TicketKey::Ticket([1; 32])).is_none());
        assert!(fresh.take(TicketKey::Ticket([3; 32])).is_some());
        for n in 0..3 * TICKETS_MAX as u64 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_le_bytes());
            fresh.note(ticket(digest, 120_001), LIFE);
        }
        let halves = fresh.0.lock().unwrap();
        assert!(halves.young.len() + halves.old.len() <= 2 * TICKETS_MAX);
    }
}
