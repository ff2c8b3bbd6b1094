//! Whose feed a ticket opens, for the route that serves every user's.

use serde_json::json;
use tidegate_types::StreamPath;

use super::check::read_key;
use super::{Refusal, TicketError};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::{ClientFacts, Gate, StreamKind};

impl Gate {
    /// The feed that a ticket (or the handle of a lease) was made for. Reads only and grants
    /// nothing: ask `enter_by_ticket` with it.
    ///
    /// # Errors
    /// It is unknown, or not for a feed, or the store failed.
    pub async fn feed_of_ticket(&self, text: &str, facts: &ClientFacts) -> Result<StreamPath, TicketError> {
        let stored = match read_key(text) {
            Ok((key, _)) => self.inner.store.find_ticket(key).await?,
            Err(_) => None,
        };
        let Some(stored) = stored else {
            let detail =
                json!({ "code": TicketError::Invalid.code().as_str(), "why": Refusal::Unknown.as_str() });
            let event = AuditEvent::new(AuditKind::Refusal, Actor::Anonymous).from_client(facts);
            self.audit(event.detail(detail)).await;
            return Err(TicketError::Invalid);
        };
        let stream = stored.ticket.stream;
        match stored.ticket.kind {
            StreamKind::Feed => Ok(stream.path),
            StreamKind::Stream => Err(self.refuse(Refusal::OtherStream, &stream, facts).await),
        }
    }
}
