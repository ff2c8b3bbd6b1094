//! What can go wrong, one enum per operation.

use tidegate_db::DbError;
use tidegate_log::{AppendError, LogError};
use tidegate_types::ErrorCode;

use crate::UrlRefused;

/// Subscriptions could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubscriptionsError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The streams.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The owner's reach can't be told now.
    #[error("the owner's reach can't be told now ({0})")]
    Reach(ErrorCode),
    /// Another node changed the subscription at the same time.
    #[error("the subscription was changed by another node meanwhile")]
    Raced,
    /// A signature or a key could not be made.
    #[error("the signing key can't be used")]
    Signing,
}

impl SubscriptionsError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Db(error) => error.code(),
            Self::Raced => ErrorCode::Overloaded,
            Self::Signing => ErrorCode::Internal,
            Self::Log(error) => error.code(),
            Self::Reach(code) => *code,
        }
    }
}

impl SubscriptionsError {
    pub(crate) fn of_append(error: &AppendError) -> String {
        match error {
            AppendError::NotFound => "the wake stream does not exist".to_owned(),
            AppendError::Closed { .. } => "the wake stream is closed".to_owned(),
            other => format!("the wake stream refused the record ({})", other.code()),
        }
    }
}

/// No subscription was made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateError {
    /// Neither a pattern nor a stream.
    #[error("at least one of `pattern` and `streams` is needed")]
    MatchesNothing,
    /// The lease is too short or too long.
    #[error("lease_ttl_ms is a whole number from 1000 to {max_ms}")]
    Lease {
        /// The longest lease.
        max_ms: u64,
    },
    /// The note is too long.
    #[error("a description has at most 1,024 bytes")]
    Description,
    /// A stream that tells of wakes can't be subscribed to.
    #[error("a wake stream can't be among the streams of a subscription")]
    WakeStream,
    /// Webhooks are switched off.
    #[error("webhooks are not enabled on this server")]
    WebhooksOff,
    /// The URL may not be called.
    #[error(transparent)]
    Url(#[from] UrlRefused),
    /// The id is taken, by a subscription that differs or belongs to somebody else.
    #[error("a subscription of this id exists with another configuration")]
    Exists,
    /// The owner has as many as may be.
    #[error("there are {0} subscriptions of this owner, as many as there may be")]
    OwnerFull(u64),
    /// The node has as many as may be.
    #[error("this server holds {0} subscriptions, as many as it may")]
    NodeFull(u64),
    /// It matches more streams than it may.
    #[error("a subscription has at most {0} streams")]
    TooManyStreams(u64),
    /// Reading or writing failed.
    #[error(transparent)]
    Subscriptions(#[from] SubscriptionsError),
}

impl CreateError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::MatchesNothing
            | Self::Lease { .. }
            | Self::Description
            | Self::WakeStream
            | Self::WebhooksOff => ErrorCode::InvalidRequest,
            Self::Url(_) => ErrorCode::WebhookUrlRejected,
            Self::Exists => ErrorCode::SubscriptionAlreadyExists,
            Self::OwnerFull(_) | Self::NodeFull(_) | Self::TooManyStreams(_) => ErrorCode::SubscriptionLimit,
            Self::Subscriptions(error) => error.code(),
        }
    }
}

/// Streams were not added.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StreamsError {
    /// Deleted meanwhile.
    #[error("no such subscription")]
    NotFound,
    /// A stream that tells of wakes can't be subscribed to.
    #[error("a wake stream can't be among the streams of a subscription")]
    WakeStream,
    /// More than it may have.
    #[error("a subscription has at most {0} streams")]
    TooMany(u64),
    /// Reading or writing failed.
    #[error(transparent)]
    Subscriptions(#[from] SubscriptionsError),
}

impl StreamsError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::SubscriptionNotFound,
            Self::WakeStream => ErrorCode::InvalidRequest,
            Self::TooMany(_) => ErrorCode::SubscriptionLimit,
            Self::Subscriptions(error) => error.code(),
        }
    }
}

/// A wake was not claimed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClaimError {
    /// Deleted meanwhile.
    #[error("no such subscription")]
    NotFound,
    /// It is told by webhook.
    #[error("only a pull-wake subscription can be claimed")]
    NotPullWake,
    /// The worker's name is empty or too long.
    #[error("worker has 1 to 256 bytes")]
    Worker,
    /// Somebody else works on it.
    #[error("another worker holds the lease")]
    Claimed {
        /// Who.
        holder: String,
        /// On which wake.
        generation: u64,
    },
    /// Nothing is pending.
    #[error("the subscription has no pending work")]
    NothingPending,
    /// Reading or writing failed.
    #[error(transparent)]
    Subscriptions(#[from] SubscriptionsError),
}

impl ClaimError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::SubscriptionNotFound,
            Self::NotPullWake | Self::Worker => ErrorCode::InvalidRequest,
            Self::Claimed { .. } => ErrorCode::AlreadyClaimed,
            Self::NothingPending => ErrorCode::NoPendingWork,
            Self::Subscriptions(error) => error.code(),
        }
    }
}

/// Work was not acknowledged, nor released.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AckError {
    /// There is no such subscription.
    #[error("no such subscription")]
    NotFound,
    /// A call for webhooks about a pull-wake subscription, or the other way round.
    #[error("this call is not for a {0} subscription")]
    WrongKind(&'static str),
    /// The token is none of this subscription.
    #[error("the token was not made for this subscription")]
    Token,
    /// A newer wake, or none, is under way.
    #[error("the wake of this generation is over")]
    Fenced,
    /// An acknowledgement names a stream that is not of this subscription.
    #[error("the subscription has no stream of this path")]
    UnknownStream,
    /// It lies before what was acknowledged.
    #[error("the offset lies before the one that was acknowledged")]
    Backwards,
    /// It lies past the end.
    #[error("the offset lies past the end of the stream")]
    PastTail,
    /// Reading or writing failed.
    #[error(transparent)]
    Subscriptions(#[from] SubscriptionsError),
}

impl AckError {
    /// How this failure is told to clients.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::SubscriptionNotFound,
            Self::WrongKind(_) => ErrorCode::InvalidRequest,
            Self::Token => ErrorCode::InvalidToken,
            Self::Fenced => ErrorCode::Fenced,
            Self::UnknownStream | Self::Backwards | Self::PastTail => ErrorCode::InvalidOffset,
            Self::Subscriptions(error) => error.code(),
        }
    }
}

macro_rules! from_parts {
    ($($error:ty),*) => {$(
        impl From<DbError> for $error {
            fn from(error: DbError) -> Self {
                Self::Subscriptions(error.into())
            }
        }
        impl From<LogError> for $error {
            fn from(error: LogError) -> Self {
                Self::Subscriptions(error.into())
            }
        }
    )*};
}

from_parts!(CreateError, StreamsError, ClaimError, AckError);
