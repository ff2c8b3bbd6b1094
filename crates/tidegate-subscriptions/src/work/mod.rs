//! Waking, and working under a lease.
//!
//! Owns: when a wake begins, how it is told, claimed, acknowledged and given back.
//! Must not: decide without the subscription's lock; read, decide, write.

mod ack;
mod claim;
mod deliver;
mod look;
mod step;
mod tell;
mod wake;

pub use ack::{Ack, Acked, Holding};
pub use claim::Claimed;
