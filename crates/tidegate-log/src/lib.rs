//! Durable streams: ordered, append-only records at a path, written once and read by many.
//!
//! Owns: offsets, group commit, producers, closing, expiry, live tails and the tables of streams.
//! Must not: know HTTP, users or what a record means; read the wall clock except through a
//! [`tidegate_types::Clock`].
//!
//! Rules: an append is answered after its commit and never before; offsets of a stream are
//! gap-free; a subscriber is a cursor and has no queue.

mod append;
mod changes;
mod commit;
mod core;
mod error;
mod fork;
pub mod json;
mod keep;
mod known;
mod log;
mod options;
mod read;
mod record;
mod renewals;
pub mod store;
mod stream;
#[cfg(feature = "suite")]
pub mod suite;
mod tail;

pub use append::{Append, Appended, Producer, ProducerAck};
pub use changes::Changes;
pub use error::{AppendError, CreateError, LogError, ReadError};
pub use fork::{Fork, NewFork};
pub use keep::{Keep, KeepRule};
pub use log::{Found, Log};
pub use options::LogOptions;
pub use record::{Gap, Page, ReadBound, Record};
pub use store::LogStore;
pub use store::sqlite::SqliteLogStore;
pub use stream::{Created, NewStream, StreamId, StreamInfo};
pub use tail::{Frame, Framing, Listener, Look, Reach, Tail, TailStep};
