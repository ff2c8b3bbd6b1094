//! The decision about one attempt, apart from any store.
//!
//! Rule (contract, section 6; ruling 8): accepted is the last tag that was presented and any
//! issued after it. The one before may come back because an answer was lost; an older one means
//! that two hold the lease.

use std::time::Duration;

use tidegate_types::Timestamp;

use super::{KillReason, NewTicket, OpenAttempt, OriginRule, Refusal, StoredLease, StoredTicket, StreamRef};
use crate::FetchSite;
use crate::connections::LeaseSight;

/// Take-overs are counted over this time.
const TAKEOVER_WINDOW: Duration = Duration::from_secs(30);
/// Tags of one lease at most. All are kept while it lives, so that a genuine old one is always
/// known; a client that reconnects every two seconds reaches this after two hours.
const TAGS_MAX: u64 = 4_096;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Spend the ticket.
    Redeem,
    /// Let the lease go on, with its next tag.
    Resume {
        /// The tag that came back.
        presented: u64,
        /// Whether a live socket is displaced.
        takes_over: bool,
        /// The take-overs that still count.
        takeovers: Vec<Timestamp>,
    },
    /// Change nothing.
    Refuse(Refusal),
    /// End the lease for good.
    Kill(KillReason),
}

/// Decides; `tag_number` says which tag of the lease came back, if it was ever issued.
pub(crate) fn decide(attempt: &OpenAttempt, stored: &StoredTicket, tag_number: Option<u64>) -> Decision {
    if let Some(refusal) =
        unfit(&stored.ticket, &attempt.stream, attempt.origin.as_deref(), attempt.fetch_site)
    {
        return Decision::Refuse(refusal);
    }
    match &stored.lease {
        Some(lease) => resume(attempt, stored, lease, tag_number),
        None if attempt.now >= stored.ticket.expires_at => Decision::Refuse(Refusal::Expired),
        None => Decision::Redeem,
    }
}

/// Why a ticket does not fit a request at all.
pub(super) fn unfit(
    ticket: &NewTicket,
    stream: &StreamRef,
    origin: Option<&str>,
    fetch_site: Option<FetchSite>,
) -> Option<Refusal> {
    if ticket.stream != *stream {
        return Some(Refusal::OtherStream);
    }
    let allowed = OriginRule::allows(ticket.origin.as_deref(), ticket.origin_own, origin, fetch_site);
    (!allowed).then_some(Refusal::Origin)
}

fn resume(
    attempt: &OpenAttempt,
    stored: &StoredTicket,
    lease: &StoredLease,
    tag_number: Option<u64>,
) -> Decision {
    let sight = attempt.registry.sight(stored.ticket.id.as_uuid().into());
    if lease.dead {
        return Decision::Refuse(Refusal::LeaseDead);
    }
    if attempt.now >= lease.expires_at || lease.issued >= TAGS_MAX {
        return Decision::Refuse(Refusal::LeaseOver);
    }
    let idle_since = match sight {
        LeaseSight::Live => attempt.now,
        LeaseSight::Ended(at) => at,
        // Sockets of an earlier run of this node ended when that run did; by now at the latest.
        LeaseSight::Unknown => lease.ended_at.unwrap_or_else(|| lease.connected_at.max(attempt.node_since)),
    };
    if attempt.now.since(idle_since) > Duration::from_millis(attempt.bounds.idle_ms) {
        return Decision::Refuse(Refusal::LeaseIdle);
    }
    let presented = match (attempt.tag, tag_number) {
        (None, _) => return Decision::Refuse(Refusal::SpentWithoutTag),
        (Some(_), None) => return Decision::Refuse(Refusal::WrongTag),
        (Some(_), Some(number)) if number < lease.presented => return Decision::Kill(KillReason::OldTag),
        (Some(_), Some(number)) => number,
    };
    let takes_over = sight == LeaseSight::Live;
    let mut takeovers: Vec<Timestamp> =
        lease.takeovers.iter().copied().filter(|at| attempt.now.since(*at) < TAKEOVER_WINDOW).collect();
    if takes_over {
        takeovers.push(attempt.now);
    }
    if takeovers.len() as u64 > attempt.bounds.takeovers {
        return Decision::Kill(KillReason::TakeOvers);
    }
    Decision::Resume { presented, takes_over, takeovers }
}
