//! `session.ended`: what ended a session is told in its owner's feed, so that other devices can say so.
//!
//! Reads the list of revocations by its numbers, as every node does, so that a sign-out on another
//! node or by the command line is told too.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use tidegate_events::{Events, EventsError, OwnEvent};
use tidegate_gate::store::RevocationStore as _;
use tidegate_gate::store::SessionStore as _;
use tidegate_gate::{Revocation, RevocationScope, SqliteGate};
use tidegate_types::{SessionId, Timestamp, UserId};

const PAGE: u32 = 200;
const EVERY: Duration = Duration::from_secs(1);
/// After a start, older news than this is no news; newer ones were perhaps not told before it.
const FRESH: Duration = Duration::from_secs(600);

/// Tells of ended sessions.
#[derive(Debug)]
pub(super) struct Goodbyes {
    store: Arc<SqliteGate>,
    events: Events,
    after: AtomicI64,
}

impl Goodbyes {
    pub(super) fn new(store: Arc<SqliteGate>, events: Events) -> Self {
        Self { store, events, after: AtomicI64::new(0) }
    }

    /// Tells of a page of revocations; answers when to call again.
    pub(super) async fn step(&self, now: Timestamp) -> Result<Timestamp, EventsError> {
        let page = self.store.list_revocations(self.after.load(Ordering::Relaxed), PAGE).await?;
        let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        for revocation in page {
            if revocation.revoked.at >= now.minus(FRESH) {
                self.tell(&revocation).await?;
            }
            self.after.store(revocation.id, Ordering::Relaxed);
        }
        Ok(if full { now } else { now.plus(EVERY) })
    }

    async fn tell(&self, revocation: &Revocation) -> Result<(), EventsError> {
        let subject = revocation.revoked.subject;
        let (user, session) = match revocation.revoked.scope {
            RevocationScope::Session => {
                let id = SessionId::from(subject);
                match self.store.lookup_session(id).await? {
                    Some(row) => (row.session.user_id, Some(id)),
                    None => return Ok(()),
                }
            }
            RevocationScope::User => (UserId::from(subject), None),
            RevocationScope::Key | RevocationScope::Lease => return Ok(()),
        };
        // A repetition after a restart or by another node is dropped by its id.
        let id = format!("session.ended:{}", revocation.id);
        let data = json!({ "session_id": session, "all": session.is_none() });
        match self.events.publish_own(user, OwnEvent::SessionEnded, &data, Some(&id)).await {
            Ok(_) => Ok(()),
            Err(EventsError::Db(error)) => Err(EventsError::Db(error)),
            Err(error) => {
                tracing::warn!(%error, "the end of a session could not be told");
                Ok(())
            }
        }
    }
}
