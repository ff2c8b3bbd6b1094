//! What the gate asks of a store, one small trait per concept.
//!
//! Owns: the traits and their implementations. Every decision that two callers could race for is
//! made inside one transaction of the store, with `now` given by the caller.

mod accounts;
mod audit;
mod idempotency;
mod keys;
mod revocations;
mod sessions;
mod sqlite;
mod standing;
mod tickets;

pub use accounts::{AccountStore, Identity, NewPassword, UserRow};
pub use audit::AuditStore;
pub use idempotency::{BeginRequest, Begun, IdempotencyStore};
pub use keys::{KeyRow, KeyStore};
pub use revocations::RevocationStore;
pub use sessions::{EndWhich, RotateAttempt, Rotation, SessionRow, SessionStore};
pub use sqlite::SqliteGate;
pub use standing::{Standing, StandingStore};
pub use tickets::TicketStore;

/// Everything the gate keeps.
pub trait GateStore:
    AccountStore
    + SessionStore
    + KeyStore
    + IdempotencyStore
    + AuditStore
    + RevocationStore
    + StandingStore
    + TicketStore
{
}
