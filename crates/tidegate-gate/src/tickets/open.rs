//! Opening: what is asked of the store, what is audited of it, and how a lease is named.

use std::convert::Infallible;
use std::fmt::Write as _;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tidegate_types::{Entropy, ResumeTag, Secret, SecretKind, Timestamp};

use super::{
    Decision, EnterError, Entrance, LeaseBounds, NewTicket, OpenAttempt, OpenedLease, Refusal, StreamRef,
    TicketError, TicketKey, TicketRequest,
};
use crate::audit::{Actor, AuditEvent, AuditKind, AuditRow, Circumstances, Subject};
use crate::{ClientFacts, Gate, Principal};

impl Gate {
    /// Opens the stream for whoever holds a ticket, without a connection that it would be for. See
    /// [`Gate::enter_by_ticket`].
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
        let request = TicketRequest { text, tag, stream, facts };
        match self.enter_by_ticket(request, |_| Ok::<_, Infallible>(())).await {
            Ok((opened, ())) => Ok(opened),
            Err(EnterError::Ticket(error)) => Err(error),
            Err(EnterError::TurnedAway(never)) => match never {},
        }
    }

    pub(super) fn attempt(
        &self,
        key: TicketKey,
        request: &TicketRequest<'_>,
        new_tag: &ResumeTag,
        entrance: Entrance,
    ) -> OpenAttempt {
        let TicketRequest { tag, stream, facts, .. } = *request;
        let limits = &self.inner.limits;
        OpenAttempt {
            key,
            fresh: None,
            tag: tag.map(ResumeTag::digest),
            stream: stream.clone(),
            origin: facts.origin.clone(),
            fetch_site: facts.fetch_site,
            now: self.now(),
            new_tag: new_tag.digest(),
            bounds: LeaseBounds {
                idle_ms: limits.lease_idle_seconds.saturating_mul(1_000),
                life_ms: limits.lease_seconds.saturating_mul(1_000),
                takeovers: limits.lease_takeovers,
            },
            registry: self.registry(),
            node_since: self.node_since(),
            audit: AuditEvent::new(AuditKind::Redeem, Actor::Anonymous).from_client(facts),
            entrance,
        }
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

/// The audit row that is committed together with a decision. Refusals change nothing, so they
/// go through the buffer instead.
pub(crate) fn opening_audit(
    decision: &Decision,
    event: &AuditEvent,
    minter: &Principal,
    ticket: &NewTicket,
    now: Timestamp,
) -> Option<AuditRow> {
    let kind = match decision {
        Decision::Refuse(_) => return None,
        Decision::Redeem => AuditKind::Redeem,
        Decision::Resume { takes_over: true, .. } => AuditKind::TakeOver,
        Decision::Resume { .. } => AuditKind::Resume,
        Decision::Kill(_) => AuditKind::LeaseKilled,
    };
    let of = Circumstances {
        actor: Actor::from(minter),
        subject: Some(Subject::Id(ticket.id.as_uuid())),
        address: event.address,
        request_id: event.request_id.as_deref(),
        stream: Some(ticket.stream.path.as_str()),
    };
    Some(AuditRow::new(now, kind, &of, |text| {
        // Writing to a text does not fail, and these words need no escapes.
        let _ = match decision {
            Decision::Refuse(_) => write!(text, "{{}}"),
            Decision::Redeem => write!(text, r#"{{"tag":1}}"#),
            Decision::Resume { presented, .. } => write!(text, r#"{{"presented":{presented}}}"#),
            Decision::Kill(reason) => write!(text, r#"{{"reason":"{}"}}"#, reason.as_str()),
        };
    }))
}

/// The handle of a ticket's lease. Derived, so that a resume by ticket can say it again though
/// only its digest is stored; it opens nothing that the ticket and the same tag would not.
pub(super) fn handle_of(secret: &Secret) -> Secret {
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
