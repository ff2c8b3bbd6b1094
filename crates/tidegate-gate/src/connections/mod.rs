//! Live connections of this node: who is connected, how many may be, and how each ends.
//!
//! Owns: the caps, the registry, the reasons for an end, and what is remembered of an ended one.
//! Must not: know a socket. A connection is told that it should end; whoever serves it says so
//! on the wire and drops it. Caps are held by living connections, so a drop frees them at once.

mod caps;
mod connection;
mod ending;
mod few;
mod list;
mod registry;
mod serve;

use std::net::IpAddr;

use tidegate_types::{
    ConnectionId, ErrorCode, KeyId, LeaseId, Offset, SessionId, StreamPath, Timestamp, UserId,
};

use crate::Principal;

pub use connection::Connection;
pub(crate) use registry::{LeaseSight, Registry};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The word on the wire and in the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Reads the word.
            #[must_use]
            pub fn from_word(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What is read: a user's own feed, or any other stream. They have caps of their own.
    StreamKind {
        /// `users/{id}/events`.
        Feed = "feed",
        /// Everything else.
        Stream = "stream",
    }
}

words! {
    /// Why a live connection ends, as `tidegate.end` says it.
    EndReason {
        /// The stream is closed and its reader at the end.
        Eof = "eof",
        /// This node is shutting down.
        Drain = "drain",
        /// The connection is as old as it may be.
        Age = "age",
        /// The credential ran out, or can't be checked any more.
        Reauth = "reauth",
        /// The session, user, key or lease was revoked.
        Revoked = "revoked",
        /// Another connection took its place.
        Replaced = "replaced",
        /// The node is overloaded.
        Limit = "limit",
        /// The reader made no progress.
        Slow = "slow",
        /// The stream was deleted.
        Deleted = "deleted",
    }
}

/// A connection that asks to be let in.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Who reads.
    pub principal: Principal,
    /// A feed or another stream.
    pub kind: StreamKind,
    /// What is read.
    pub stream: StreamPath,
    /// From where.
    pub address: IpAddr,
    /// For a ticket or handle: the `lease` of its preview, so that all who try one ticket share
    /// one slot, and a resume shares that of the connection it replaces.
    pub lease: Option<LeaseId>,
    /// How it is read, for people: `sse`, `live-sse`, `long-poll`, …
    pub transport: &'static str,
    /// The request that asks.
    pub request_id: String,
}

/// A connection was not let in. Nothing was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not let in: {}", .code.as_str())]
pub struct Refused {
    /// What the client is told.
    pub code: ErrorCode,
    /// When it may try again.
    pub retry_after_s: u32,
}

/// One live connection, for the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is, for users.
    pub user_id: Option<UserId>,
    /// Whose it is, for signed-in browsers and devices.
    pub session_id: Option<SessionId>,
    /// Whose it is, for services.
    pub key_id: Option<KeyId>,
    /// A feed or another stream.
    pub kind: StreamKind,
    /// What is read.
    pub stream: StreamPath,
    /// From where.
    pub address: IpAddr,
    /// The lease, for ticket connections.
    pub lease: Option<LeaseId>,
    /// How it is read.
    pub transport: &'static str,
    /// Since when.
    pub started_at: Timestamp,
    /// Where it began to read, once known.
    pub first: Option<Offset>,
    /// How far it has read.
    pub last: Option<Offset>,
    /// Since when bytes have gone unacknowledged, if they do.
    pub unacked_since: Option<Timestamp>,
}

/// Which connections are wanted; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// Of this user.
    pub user_id: Option<UserId>,
    /// Of this session.
    pub session_id: Option<SessionId>,
    /// Of this key.
    pub key_id: Option<KeyId>,
    /// On this stream.
    pub stream: Option<StreamPath>,
}
