//! Tickets, and the leases they leave behind.
//!
//! Owns: minting, checking, spending and resuming; the rule of the origin; the rotation of tags.
//! Must not: know HTTP, or grant anything: who may read a stream is asked of its owner by the
//! edge each time. A ticket's secret opens one stream once; afterwards only the ticket together
//! with a current tag does, and a tag never stands in a URL.

use tidegate_db::DbError;
use tidegate_types::{ErrorCode, LeaseId, Offset, ResumeTag, Secret, StreamPath, TicketId, Timestamp};

use crate::connections::StreamKind;
use crate::rates::RetryAfter;
use crate::{AuthError, ClientFacts, Gate, Principal};

/// One stream, by its path and by the id that a path made again does not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRef {
    /// Its path.
    pub path: StreamPath,
    /// Its internal id.
    pub id: i64,
}

/// What a ticket is asked for.
#[derive(Clone, Debug)]
pub struct TicketFor {
    /// The one stream it opens.
    pub stream: StreamRef,
    /// A feed or another stream.
    pub kind: StreamKind,
    /// Where a feed stands now: what comes after is not missed while the ticket is on its way.
    pub start: Option<Offset>,
}

/// A new ticket.
#[derive(Debug)]
pub struct Minted {
    /// Its secret, to be shown once.
    pub secret: Secret,
    /// Its id.
    pub id: TicketId,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it can be spent.
    pub expires_at: Timestamp,
}

/// Why no ticket was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// Nobody we know can't have a ticket.
    #[error("a ticket needs a user or a key")]
    Anonymous,
    /// Too many tickets.
    #[error(transparent)]
    RateLimited(#[from] RetryAfter),
    /// Revocations can't be read any more, so nothing new is given out.
    #[error("the list of revocations is out of date")]
    Stale,
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl MintError {
    /// What the client is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Anonymous => ErrorCode::Unauthenticated,
            Self::RateLimited(limited) => limited.code(),
            Self::Stale => ErrorCode::DatabaseUnavailable,
            Self::Db(error) => crate::store::db_code(error),
        }
    }
}

/// Why a ticket did not open its stream. Says to the client no more than it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Unknown, expired, spent without a current tag, from another origin, revoked.
    #[error("the ticket is not accepted")]
    Invalid,
    /// It was made for another stream; it was not spent. Answer as for an absent stream.
    #[error("the ticket is for another stream")]
    OtherStream,
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl TicketError {
    /// What the client is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid => ErrorCode::TicketInvalid,
            Self::OtherStream => ErrorCode::NotFound,
            Self::Db(error) => crate::store::db_code(error),
        }
    }
}

/// What a ticket would open, found out without spending it.
#[derive(Clone, Debug)]
pub struct TicketPreview {
    /// Who minted it, as they are now.
    pub principal: Principal,
    /// A feed or another stream.
    pub kind: StreamKind,
    /// Give this to `admit`: all who try one ticket share one slot.
    pub lease: LeaseId,
    /// Whether it was spent, so that only a resume can succeed.
    pub spent: bool,
}

/// A stream that a ticket opened, or a lease resumed.
#[derive(Debug)]
pub struct OpenedLease {
    /// The lease.
    pub lease_id: LeaseId,
    /// Who reads, as they are now.
    pub principal: Principal,
    /// A feed or another stream.
    pub kind: StreamKind,
    /// The tag of this connection, for its id lines.
    pub tag: ResumeTag,
    /// Which tag of its lease that is.
    pub tag_number: u64,
    /// Whether a lease was resumed.
    pub resumed: bool,
    /// Whether the resume displaced a socket that was still alive.
    pub took_over: bool,
    /// Where a feed stood when the ticket was made.
    pub minted_at_offset: Option<Offset>,
    /// What the feed's cookie carries from here on.
    pub handle: Secret,
    /// Until when the lease can live.
    pub ends_at: Timestamp,
}

impl Gate {
    /// Makes a ticket for one stream.
    ///
    /// # Errors
    /// Nobody asks, too often, or the store failed.
    pub async fn mint_ticket(
        &self,
        _principal: &Principal,
        _ticket: TicketFor,
        _facts: &ClientFacts,
    ) -> Result<Minted, MintError> {
        Err(MintError::Stale)
    }

    /// Looks at a ticket or handle without spending it.
    ///
    /// # Errors
    /// It would not open this stream.
    pub async fn check_ticket(
        &self,
        _text: &str,
        _stream: &StreamRef,
        _facts: &ClientFacts,
    ) -> Result<TicketPreview, TicketError> {
        Err(TicketError::Invalid)
    }

    /// Spends a ticket, or resumes what it left behind.
    ///
    /// # Errors
    /// It does not open this stream.
    pub async fn open_ticket(
        &self,
        _text: &str,
        _tag: Option<&ResumeTag>,
        _stream: &StreamRef,
        _facts: &ClientFacts,
    ) -> Result<OpenedLease, TicketError> {
        Err(TicketError::Invalid)
    }

    /// The principal as it is now.
    ///
    /// # Errors
    /// It is not valid any more.
    pub async fn reauthorize(&self, principal: &Principal) -> Result<Principal, AuthError> {
        Ok(principal.clone())
    }
}
