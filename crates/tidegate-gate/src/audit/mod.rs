//! The audit: who did what, when, from where, with what result.
//!
//! Owns: the kinds of events, the chain of hashes, the bounded buffer before the store, the
//! per-minute sums of refusals.
//! Must not: hold or write a secret; ids and digests stand in for them. Must not lose an event
//! silently: a full buffer makes the caller wait.

mod buffer;
mod chain;
mod event;
mod pack;
mod record;
mod row;
mod sums;
mod terms;

pub(crate) use buffer::AuditBuffer;
pub(crate) use chain::chain_hash;
pub use event::{Actor, AuditEntry, AuditEvent, AuditFilter, AuditKind, AuditOrder, AuditPage, AuditVerdict};
pub(crate) use pack::{Batch, ChainEnd, HASH_BYTES, Unpacked, unpack};
pub use row::AuditRow;
pub(crate) use row::{Circumstances, Subject};
pub(crate) use terms::{Word, may_hold, words_of};
