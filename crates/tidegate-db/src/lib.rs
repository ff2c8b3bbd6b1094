//! The database: one writer with group commit, pooled readers, migrations, and the bus for hints.
//!
//! Owns: files, connections, transactions, the order of migrations, what a failed write means.
//! Must not: know any table. Domain crates bring their own SQL and migrations.
//!
//! Rules: a write is answered after its commit is on stable storage, never before; a failed
//! sync stops all writing until the process starts again (pages may be marked clean after
//! a failed fsync, so a retry would lie).

mod answers;
mod bus;
mod checkpoint;
mod error;
mod keyed_locks;
mod migrate;
mod open;
mod operation;
mod read;
mod room;
mod write;

pub use answers::give_answers;
pub use bus::{Bus, Hint, HintReceiver, LocalBus};
pub use error::{DbError, OpenError};
pub use keyed_locks::KeyedLocks;
pub use open::{Db, DbOptions, SQLITE_VERSION_FLOOR};
pub use write::WriteJob;

/// Re-exported so that domain crates and this one always speak of the same SQLite.
pub use refinery;
pub use rusqlite;
