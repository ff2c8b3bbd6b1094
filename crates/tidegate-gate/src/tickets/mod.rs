//! Tickets, and the leases they leave behind.
//!
//! Owns: minting, checking, spending and resuming; the rule of the origin; the rotation of tags.
//! Must not: know HTTP, or grant anything: who may read a stream is asked of its owner by the
//! edge each time. A ticket's secret opens one stream once; afterwards only the ticket together
//! with a current tag does, and a tag never stands in a URL.

mod check;
mod decide;
mod enter;
mod feed;
mod fresh;
mod mint;
mod open;
mod origin;
mod principal;
mod reauthorize;

use std::sync::Arc;

use tidegate_db::DbError;
use tidegate_types::{ErrorCode, LeaseId, Offset, ResumeTag, Secret, StreamPath, TicketId, Timestamp};

use crate::audit::AuditEvent;
use crate::connections::{Registry, StreamKind};
use crate::rates::RetryAfter;
use crate::{FetchSite, Principal};

pub(crate) use decide::{Decision, decide};
pub use enter::{EnterError, TicketRequest};
pub(crate) use enter::{Entrance, Entry};
pub(crate) use fresh::{Fresh, FreshTicket};
pub(crate) use open::opening_audit;
pub(crate) use origin::OriginRule;
pub(crate) use principal::from_json as minter_from;

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
            Self::Db(error) => error.code(),
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
            Self::Db(error) => error.code(),
        }
    }
}

/// What a ticket is about to open.
#[derive(Clone, Debug)]
pub struct TicketPreview {
    /// Who minted it, as they are now.
    pub principal: Principal,
    /// A feed or another stream.
    pub kind: StreamKind,
    /// Give this to `admit`: all who try one ticket share one slot.
    pub lease: LeaseId,
    /// Whether a lease is resumed.
    pub resumes: bool,
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

/// How a ticket is found. Both are SHA-256 of its lease's handle, which follows from the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketKey {
    /// The ticket itself was shown.
    Ticket([u8; 32]),
    /// The handle was, which opens nothing that was not opened before.
    Handle([u8; 32]),
}

impl TicketKey {
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        match self {
            Self::Ticket(digest) | Self::Handle(digest) => digest,
        }
    }
}

/// A ticket to be stored.
#[derive(Clone, Debug)]
pub struct NewTicket {
    pub(crate) digest: [u8; 32],
    pub(crate) id: TicketId,
    pub(crate) principal: String,
    pub(crate) stream: StreamRef,
    pub(crate) kind: StreamKind,
    pub(crate) start: Option<Offset>,
    pub(crate) origin: Option<String>,
    pub(crate) origin_own: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// A ticket as it is stored.
#[derive(Clone, Debug)]
pub struct StoredTicket {
    pub(crate) ticket: NewTicket,
    /// Its lease, once it is spent.
    pub(crate) lease: Option<StoredLease>,
}

/// A lease as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredLease {
    pub(crate) expires_at: Timestamp,
    pub(crate) presented: u64,
    pub(crate) issued: u64,
    pub(crate) connected_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) takeovers: Vec<Timestamp>,
    pub(crate) dead: bool,
    /// Digest of its first tag, if that is not among the others.
    pub(crate) first_tag: Option<[u8; 32]>,
}

/// Bounds of a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseBounds {
    pub(crate) idle_ms: u64,
    pub(crate) life_ms: u64,
    pub(crate) takeovers: u64,
}

/// Everything that decides whether a ticket opens its stream.
#[derive(Debug)]
pub struct OpenAttempt {
    pub(crate) key: TicketKey,
    /// The ticket, if it was minted here and nobody tried it before.
    pub(crate) fresh: Option<Box<FreshTicket>>,
    /// Digest of the tag that came back.
    pub(crate) tag: Option<[u8; 32]>,
    pub(crate) stream: StreamRef,
    pub(crate) origin: Option<String>,
    pub(crate) fetch_site: Option<FetchSite>,
    pub(crate) now: Timestamp,
    /// Digest of the tag that this connection would issue.
    pub(crate) new_tag: [u8; 32],
    pub(crate) bounds: LeaseBounds,
    pub(crate) registry: Arc<Registry>,
    /// Since when this node runs: sockets of an earlier run ended by then.
    pub(crate) node_since: Timestamp,
    /// The circumstances, for the audit rows of the same transaction.
    pub(crate) audit: AuditEvent,
    /// Asked inside of the transaction, before anything is written.
    pub(crate) entrance: Entrance,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum Opening {
    /// The stream is open.
    Opened(OpeningDone),
    /// Nothing was changed.
    Refused(Refusal),
    /// Whoever asked turned it away; nothing was changed.
    TurnedAway,
    /// The lease is dead from now on.
    Killed {
        /// Which lease.
        lease: LeaseId,
        /// Why.
        reason: KillReason,
    },
}

/// An opening as the store made it.
#[derive(Clone, Debug)]
pub struct OpeningDone {
    pub(crate) lease_id: LeaseId,
    pub(crate) kind: StreamKind,
    pub(crate) start: Option<Offset>,
    pub(crate) tag_number: u64,
    pub(crate) resumed: bool,
    pub(crate) took_over: bool,
    pub(crate) ends_at: Timestamp,
}

/// Why an attempt was refused; for the audit, not for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such ticket, or its lease is gone.
    Unknown,
    /// Made for another stream.
    OtherStream,
    /// Sent from another origin.
    Origin,
    /// Not spent in time.
    Expired,
    /// Who minted it has been signed out, disabled or revoked.
    Principal,
    /// Spent, and no tag came back.
    SpentWithoutTag,
    /// Spent, and the tag was never issued.
    WrongTag,
    /// The lease had no connection for too long.
    LeaseIdle,
    /// The lease is as old as it may be, or issued as many tags as it may.
    LeaseOver,
    /// The lease was killed.
    LeaseDead,
}

impl Refusal {
    /// The word in the audit.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::OtherStream => "other-stream",
            Self::Origin => "origin",
            Self::Expired => "expired",
            Self::Principal => "principal",
            Self::SpentWithoutTag => "spent-without-tag",
            Self::WrongTag => "wrong-tag",
            Self::LeaseIdle => "lease-idle",
            Self::LeaseOver => "lease-over",
            Self::LeaseDead => "lease-dead",
        }
    }
}

/// Why a lease was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillReason {
    /// A tag came back that a newer one had superseded: two hold this lease.
    OldTag,
    /// Live sockets were taken over too often.
    TakeOvers,
}

impl KillReason {
    /// The word in the audit.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OldTag => "old-tag",
            Self::TakeOvers => "take-overs",
        }
    }
}
