//! Opening: a ticket is spent, or its lease resumed, in one atomic write.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tidegate_types::{Entropy, ResumeTag, Secret, SecretKind};

use super::check::read_key;
use super::principal::from_json;
use super::{
    Decision, LeaseBounds, OpenAttempt, OpenedLease, Opening, OpeningDone, Refusal, StoredTicket, StreamRef,
    TicketError, TicketKey,
};
use crate::audit::{Actor, AuditEvent, AuditKind, AuditRow};
use crate::revocation::NewRevocation;
use crate::{ClientFacts, Gate};

impl Gate {
    /// Opens the stream with a ticket (`tgt_…`) or the handle of a lease (`tgh_…`): an unspent
    /// ticket is spent, a spent one resumes its lease if a current tag came back. Of any number
    /// of racers one wins. Ask `check_ticket` and `admit` first: a refusal there spends nothing.
    ///
    /// # Errors
    /// It does not open this stream, or the store failed.
    pub async fn open_ticket(
        &self,
        text: &str,
        tag: Option<&ResumeTag>,
        stream: &StreamRef,
        facts: &ClientFacts,
    ) -> Result<OpenedLease, TicketError> {
        let (key, secret) = read_key(text)?;
        let new_tag = ResumeTag::generate(&*self.inner.entropy);
        let handle = handle_of(&secret);
        let attempt = self.attempt(key, tag, stream, facts, (&new_tag, &handle));
        let opening = self.inner.store.open_ticket(attempt).await?;
        match opening {
            Opening::Opened(done) => self.opened(done, new_tag, handle).await,
            Opening::Refused(refusal) => Err(self.refuse(refusal, stream, facts).await),
            Opening::Killed { lease, .. } => {
                self.apply_revocations(&[NewRevocation::lease(lease, self.now())]);
                Err(TicketError::Invalid)
            }
        }
    }

    fn attempt(
        &self,
        key: TicketKey,
        tag: Option<&ResumeTag>,
        stream: &StreamRef,
        facts: &ClientFacts,
        (new_tag, handle): (&ResumeTag, &Secret),
    ) -> OpenAttempt {
        let limits = &self.inner.limits;
        OpenAttempt {
            key,
            tag: tag.map(ResumeTag::digest),
            stream: stream.clone(),
            origin: facts.origin.clone(),
            fetch_site: facts.fetch_site,
            now: self.now(),
            new_tag: new_tag.digest(),
            handle: handle.digest(),
            bounds: LeaseBounds {
                idle_ms: limits.lease_idle_seconds.saturating_mul(1_000),
                life_ms: limits.lease_seconds.saturating_mul(1_000),
                takeovers: limits.lease_takeovers,
            },
            registry: self.registry(),
            node_since: self.node_since(),
            audit: AuditEvent::new(AuditKind::Redeem, Actor::Anonymous)
                .from_client(facts)
                .stream(&stream.path),
        }
    }

    /// The last check comes after the write: a revocation that was committed before it is seen
    /// here, a later one ends the connection that is already registered.
    async fn opened(
        &self,
        done: OpeningDone,
        tag: ResumeTag,
        handle: Secret,
    ) -> Result<OpenedLease, TicketError> {
        let kept = from_json(&done.ticket.principal)?;
        let principal = self.reauthorize_ticket(&kept, &done.ticket).await?;
        Ok(OpenedLease {
            lease_id: done.ticket.id.as_uuid().into(),
            principal,
            kind: done.ticket.kind,
            tag,
            tag_number: done.tag_number,
            resumed: done.resumed,
            took_over: done.took_over,
            minted_at_offset: done.ticket.start,
            handle,
            ends_at: done.ends_at,
        })
    }

    /// The error for a refusal, which is audited.
    pub(super) async fn refuse(
        &self,
        refusal: Refusal,
        stream: &StreamRef,
        facts: &ClientFacts,
    ) -> TicketError {
        let kind = if refusal == Refusal::Origin { AuditKind::OriginMismatch } else { AuditKind::Refusal };
        // Who sends a ticket that is not accepted is nobody we know.
        let event = AuditEvent::new(kind, Actor::Anonymous)
            .from_client(facts)
            .stream(&stream.path)
            .detail(json!({ "code": refused(refusal).code().as_str(), "why": refusal.as_str() }));
        self.audit(event).await;
        refused(refusal)
    }
}

fn refused(refusal: Refusal) -> TicketError {
    match refusal {
        Refusal::OtherStream => TicketError::OtherStream,
        Refusal::Unknown
        | Refusal::Origin
        | Refusal::Expired
        | Refusal::Principal
        | Refusal::SpentWithoutTag
        | Refusal::WrongTag
        | Refusal::LeaseIdle
        | Refusal::LeaseOver
        | Refusal::LeaseDead => TicketError::Invalid,
    }
}

/// The audit rows that are committed together with a decision. Refusals change nothing, so they
/// go through the buffer instead.
pub(crate) fn opening_audit(
    decision: &Decision,
    attempt: &OpenAttempt,
    stored: &StoredTicket,
) -> Vec<AuditRow> {
    let actor = from_json(&stored.ticket.principal).map_or(Actor::Anonymous, |p| Actor::from(&p));
    let row = |kind: AuditKind, detail: serde_json::Value| {
        let mut event = attempt.audit.clone().subject(stored.ticket.id).detail(detail);
        event.kind = kind;
        event.actor = actor;
        event.at(attempt.now)
    };
    match decision {
        Decision::Refuse(_) => Vec::new(),
        Decision::Redeem => vec![row(AuditKind::Redeem, json!({ "tag": 1 }))],
        Decision::Resume { presented, takes_over, .. } => {
            let kind = if *takes_over { AuditKind::TakeOver } else { AuditKind::Resume };
            vec![row(kind, json!({ "presented": presented }))]
        }
        Decision::Kill(reason) => vec![row(AuditKind::LeaseKilled, json!({ "reason": reason.as_str() }))],
    }
}

/// The handle of a ticket's lease. Derived, so that a resume by ticket can say it again though
/// only its digest is stored; it opens nothing that the ticket and the same tag would not.
fn handle_of(secret: &Secret) -> Secret {
    if secret.kind() == SecretKind::LeaseHandle {
        return secret.clone();
    }
    let derived =
        Sha256::new().chain_update("tidegate lease handle").chain_update(secret.reveal()).finalize();
    Secret::generate(SecretKind::LeaseHandle, &Derived(derived.into()))
}

struct Derived([u8; 32]);

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Derived(…)")
    }
}

impl Entropy for Derived {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
    }
}
