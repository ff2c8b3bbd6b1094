//! Being let in by a ticket: who it is and whether there is room for them is asked inside of the write that
//! spends it, so that a connect is one write and a refused one costs no ticket.
//!
//! Owns: the order: what the ticket is, how its minter stands now, the caller's door, then the write.
//! Must not: decide about tickets (`decide.rs`), or wait for anything at the door.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_types::{LeaseId, ResumeTag};

use super::check::read_key;
use super::{
    OpenAttempt, OpenedLease, Opening, OpeningDone, Refusal, StoredTicket, StreamRef, TicketError,
    TicketPreview,
};
use crate::revocation::NewRevocation;
use crate::store::Standing;
use crate::{ClientFacts, Gate, Principal};

/// A ticket that asks to be let in.
#[derive(Clone, Copy, Debug)]
pub struct TicketRequest<'r> {
    /// A ticket (`tgt_…`) or the handle of a lease (`tgh_…`).
    pub text: &'r str,
    /// The tag that came back, if any did.
    pub tag: Option<&'r ResumeTag>,
    /// What it is to open.
    pub stream: &'r StreamRef,
    /// Who asks.
    pub facts: &'r ClientFacts,
}

/// Why nobody was let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnterError<R> {
    /// The ticket does not open the stream.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The door turned its bearer away; the ticket was not spent.
    #[error("turned away at the door")]
    TurnedAway(R),
}

/// What a store asks before it writes.
pub(crate) struct Entrance(Box<dyn FnOnce(Candidate<'_>) -> Entry + Send>);

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entrance")
    }
}

/// Who asks, as the store has found them.
struct Candidate<'c> {
    stored: &'c StoredTicket,
    minter: &'c Principal,
    standing: Option<Standing>,
}

/// What the entrance says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Granted,
    Refused(Refusal),
    TurnedAway,
}

impl Entrance {
    /// Asks; `standing` is how the minter stands inside of the same transaction.
    pub(crate) fn ask(self, stored: &StoredTicket, minter: &Principal, standing: Option<Standing>) -> Entry {
        (self.0)(Candidate { stored, minter, standing })
    }
}

/// What the door said, once it was asked.
type Said<T, R> = Arc<Mutex<Option<(Principal, Result<T, R>)>>>;

impl Gate {
    /// Opens the stream with a ticket: an unspent one is spent, a spent one resumes its lease if a
    /// current tag came back. Of any number of racers one wins. `door` is asked before anything is
    /// written and sees who it is as they are now; register the connection there, so that a
    /// revocation that is committed later ends it. It runs on the writer's thread: it must be quick.
    ///
    /// # Errors
    /// The ticket does not open this stream, the door turned it away, or the store failed.
    pub async fn enter_by_ticket<T, R>(
        &self,
        request: TicketRequest<'_>,
        door: impl FnOnce(&TicketPreview) -> Result<T, R> + Send + 'static,
    ) -> Result<(OpenedLease, T), EnterError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let (stream, facts) = (request.stream, request.facts);
        let Ok((key, handle)) = read_key(request.text) else {
            return Err(self.refuse(Refusal::Unknown, stream, facts).await.into());
        };
        // What was minted here a moment ago goes straight to the write; all else is looked at first, so
        // that what can't succeed does not come near the writer.
        let fresh = self.inner.fresh.take(key);
        if fresh.is_none() {
            self.look_at_ticket(key, &request).await?;
        }
        let said: Said<T, R> = Arc::default();
        let tag = ResumeTag::generate(&*self.inner.entropy);
        let attempt = OpenAttempt { fresh, ..self.attempt(key, &request, &tag, self.entrance(door, &said)) };
        let opening = self.inner.store.open_ticket(attempt).await.map_err(TicketError::Db)?;
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (opening, said) {
            (Opening::Opened(done), Some((principal, Ok(entered)))) => {
                let OpeningDone { lease_id, kind, tag_number, resumed, took_over, ends_at, start } = done;
                let minted_at_offset = start;
                let lease = OpenedLease {
                    lease_id,
                    principal,
                    kind,
                    tag,
                    tag_number,
                    resumed,
                    took_over,
                    minted_at_offset,
                    handle,
                    ends_at,
                };
                Ok((lease, entered))
            }
            (Opening::TurnedAway, Some((_, Err(reason)))) => Err(EnterError::TurnedAway(reason)),
            (Opening::Refused(refusal), _) => Err(self.refuse(refusal, stream, facts).await.into()),
            (Opening::Killed { lease, .. }, _) => {
                self.apply_revocations(&[NewRevocation::lease(lease, self.now())]);
                Err(TicketError::Invalid.into())
            }
            (Opening::Opened(_) | Opening::TurnedAway, _) => {
                let bug = "a ticket was opened without asking at the door".to_owned();
                Err(TicketError::Db(tidegate_db::DbError::Bug(bug)).into())
            }
        }
    }

    fn entrance<T, R>(
        &self,
        door: impl FnOnce(&TicketPreview) -> Result<T, R> + Send + 'static,
        said: &Said<T, R>,
    ) -> Entrance
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let (gate, said) = (self.clone(), Arc::clone(said));
        Entrance(Box::new(move |candidate| {
            let Candidate { stored, minter, standing } = candidate;
            let ticket = &stored.ticket;
            let Some(principal) = gate.judge_minter(minter, ticket.created_at, standing) else {
                return Entry::Refused(Refusal::Principal);
            };
            let lease = LeaseId::from(ticket.id.as_uuid());
            let preview =
                TicketPreview { principal, kind: ticket.kind, lease, resumes: stored.lease.is_some() };
            let entered = door(&preview);
            let entry = if entered.is_ok() { Entry::Granted } else { Entry::TurnedAway };
            *said.lock().unwrap_or_else(PoisonError::into_inner) = Some((preview.principal, entered));
            entry
        }))
    }
}
