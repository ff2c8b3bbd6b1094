//! Looking at a ticket without spending it, so that a hopeless one costs no write.

use tidegate_types::{Secret, SecretKind};

use super::decide::unfit;
use super::open::handle_of;
use super::{Refusal, StoredTicket, TicketError, TicketKey, TicketRequest};
use crate::Gate;

impl Gate {
    /// Refuses what can't open the stream, as far as the store can tell without writing.
    pub(super) async fn look_at_ticket(
        &self,
        key: TicketKey,
        request: &TicketRequest<'_>,
    ) -> Result<(), TicketError> {
        let refusal = match self.inner.store.find_ticket(key).await? {
            None => Some(Refusal::Unknown),
            Some(stored) => self.hopeless(&stored, request),
        };
        match refusal {
            None => Ok(()),
            Some(refusal) => Err(self.refuse(refusal, request.stream, request.facts).await),
        }
    }

    /// Why opening can't succeed.
    fn hopeless(&self, stored: &StoredTicket, request: &TicketRequest<'_>) -> Option<Refusal> {
        let TicketRequest { stream, facts, tag, .. } = request;
        unfit(&stored.ticket, stream, facts.origin.as_deref(), facts.fetch_site).or(match &stored.lease {
            None if self.now() >= stored.ticket.expires_at => Some(Refusal::Expired),
            Some(_) if tag.is_none() => Some(Refusal::SpentWithoutTag),
            None | Some(_) => None,
        })
    }
}

/// The key of a ticket or handle, by its prefix, and the handle; the checksum refuses junk without a
/// look-up.
pub(super) fn read_key(text: &str) -> Result<(TicketKey, Secret), TicketError> {
    if let Ok(secret) = Secret::parse(SecretKind::Ticket, text) {
        let handle = handle_of(&secret);
        return Ok((TicketKey::Ticket(handle.digest()), handle));
    }
    let handle = Secret::parse(SecretKind::LeaseHandle, text).map_err(|_| TicketError::Invalid)?;
    Ok((TicketKey::Handle(handle.digest()), handle))
}
