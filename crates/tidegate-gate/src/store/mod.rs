//! What the gate asks of a store, one small trait per concept.
//!
//! Owns: the traits and their implementations. Every decision that two callers could race for is
//! made inside one transaction of the store, with `now` given by the caller.

mod audit;
mod revocations;
mod sqlite;
mod standing;
mod tickets;

use tidegate_db::DbError;
use tidegate_types::ErrorCode;

pub use audit::AuditStore;
pub use revocations::RevocationStore;
pub use sqlite::SqliteGate;
pub use standing::{Standing, StandingStore};
pub use tickets::TicketStore;

/// Everything the gate keeps.
pub trait GateStore: AuditStore + RevocationStore + StandingStore + TicketStore {}

impl<T: AuditStore + RevocationStore + StandingStore + TicketStore> GateStore for T {}

/// How a failure of the database is told to clients.
pub(crate) const fn db_code(error: &DbError) -> ErrorCode {
    match error {
        DbError::StorageFull => ErrorCode::StorageFull,
        DbError::Unavailable(_) => ErrorCode::DatabaseUnavailable,
        DbError::Overloaded => ErrorCode::Overloaded,
        DbError::Constraint(_) | DbError::Bug(_) => ErrorCode::Internal,
    }
}
