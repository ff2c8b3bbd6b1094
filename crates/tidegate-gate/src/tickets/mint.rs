//! Minting: a secret for one stream, good once and not for long.

use std::time::Duration;

use serde_json::json;
use tidegate_types::{Secret, SecretKind, TicketId};

use super::fresh::FreshTicket;
use super::open::handle_of;
use super::principal::{from_json, to_json};
use super::{MintError, Minted, NewTicket, OriginRule, TicketFor};
use crate::audit::{AuditEvent, AuditKind};
use crate::rates::Rate;
use crate::{ClientFacts, Gate, Principal};

impl Gate {
    /// Makes a ticket. Whether the principal may read the stream was asked before.
    ///
    /// # Errors
    /// Nobody is signed in, too many tickets, or the store failed.
    pub async fn mint_ticket(
        &self,
        principal: &Principal,
        wanted: TicketFor,
        facts: &ClientFacts,
    ) -> Result<Minted, MintError> {
        let kept = to_json(principal).ok_or(MintError::Anonymous)?;
        if let Principal::User(user) = principal {
            self.take_rate(Rate::TicketsUser, &user.user_id.to_string())?;
        }
        if self.revocations_are_stale() {
            return Err(MintError::Stale);
        }
        let (now, entropy) = (self.now(), &*self.inner.entropy);
        let secret = Secret::generate(SecretKind::Ticket, entropy);
        let id = TicketId::generate(now, entropy);
        let digest = handle_of(&secret).digest();
        let life = Duration::from_secs(self.inner.limits.ticket_seconds);
        let expires_at = now.plus(life);
        let own = OriginRule { own: &self.inner.config.own_origins };
        let audit = AuditEvent::new(AuditKind::Mint, principal)
            .from_client(facts)
            .subject(id)
            .stream(&wanted.stream.path)
            .detail(json!({ "kind": wanted.kind.as_str(), "origin": facts.origin }));
        let minter = from_json(&kept)?;
        let ticket = NewTicket {
            digest,
            id,
            principal: String::new(),
            stream: wanted.stream,
            kind: wanted.kind,
            start: wanted.start,
            origin_own: facts.origin.as_deref().is_some_and(|origin| own.is_own(origin, facts.fetch_site)),
            origin: facts.origin.clone(),
            created_at: now,
            expires_at,
        };
        let stored = NewTicket { principal: kept, ..ticket.clone() };
        self.inner.store.insert_ticket(stored, audit.at(now)).await?;
        self.inner.fresh.note(FreshTicket { ticket, minter }, life);
        Ok(Minted { secret, id, issued_at: now, expires_at })
    }
}
