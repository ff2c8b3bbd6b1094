//! Looking at a ticket without spending it, so that caps and grants can be asked first.

use tidegate_types::{Secret, SecretKind};

use super::principal::from_json;
use super::{OriginRule, Refusal, StoredTicket, StreamRef, TicketError, TicketKey, TicketPreview};
use crate::{ClientFacts, Gate};

impl Gate {
    /// What a ticket (or the handle of a lease) would open. Reads only.
    ///
    /// # Errors
    /// It could not open this stream, or the store failed.
    pub async fn check_ticket(
        &self,
        text: &str,
        stream: &StreamRef,
        facts: &ClientFacts,
    ) -> Result<TicketPreview, TicketError> {
        let stored = match read_key(text) {
            Ok((key, _)) => self.inner.store.find_ticket(key).await?,
            Err(_) => None,
        };
        let stored = match stored {
            None => return Err(self.refuse(Refusal::Unknown, stream, facts).await),
            Some(stored) => stored,
        };
        if let Some(refusal) = self.hopeless(&stored, stream, facts) {
            return Err(self.refuse(refusal, stream, facts).await);
        }
        let kept = from_json(&stored.ticket.principal)?;
        let principal = match self.reauthorize_ticket(&kept, &stored.ticket).await {
            Err(TicketError::Invalid) => return Err(self.refuse(Refusal::Principal, stream, facts).await),
            other => other?,
        };
        Ok(TicketPreview {
            principal,
            kind: stored.ticket.kind,
            lease: stored.ticket.id.as_uuid().into(),
            spent: stored.spent,
        })
    }

    /// Why opening can't succeed, as far as can be told without a tag.
    fn hopeless(&self, stored: &StoredTicket, stream: &StreamRef, facts: &ClientFacts) -> Option<Refusal> {
        let ticket = &stored.ticket;
        let (minted, origin) = (ticket.origin.as_deref(), facts.origin.as_deref());
        if ticket.stream != *stream {
            Some(Refusal::OtherStream)
        } else if !OriginRule::allows(minted, ticket.origin_own, origin, facts.fetch_site) {
            Some(Refusal::Origin)
        } else if !stored.spent && self.now() >= ticket.expires_at {
            Some(Refusal::Expired)
        } else {
            None
        }
    }
}

/// The key of a ticket or handle, by its prefix; the checksum refuses junk without a look-up.
pub(super) fn read_key(text: &str) -> Result<(TicketKey, Secret), TicketError> {
    if let Ok(secret) = Secret::parse(SecretKind::Ticket, text) {
        return Ok((TicketKey::Ticket(secret.digest()), secret));
    }
    let secret = Secret::parse(SecretKind::LeaseHandle, text).map_err(|_| TicketError::Invalid)?;
    Ok((TicketKey::Handle(secret.digest()), secret))
}
