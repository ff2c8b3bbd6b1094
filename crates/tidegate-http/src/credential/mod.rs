//! Who asks, as extractors: the credential's slot, its order and its same-origin rule.
//!
//! Owns: header, then URL ticket, then cookie; a bad one never falls back to the next.
//! Must not: judge a credential (the gate does) or grant access to a stream (its area does).

mod caller;
mod facts;
mod present;
mod refuse;
mod same_origin;
mod stream;

pub(crate) use caller::{Admin, Caller, SignedIn, Someone};
pub(crate) use facts::Facts;
pub(crate) use present::FEED_COOKIE;
pub(crate) use refuse::{audit_leak, limit_anonymous};
pub(crate) use stream::StreamCredential;
