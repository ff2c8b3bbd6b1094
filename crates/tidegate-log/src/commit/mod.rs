//! Group commit: from a queue of writes to one transaction and back to those who wait.
//!
//! Owns: the order of writes, the heads of streams, offsets, when an answer may be given.
//! Must not: know SQL. `head` holds the rules of an append, `fork` those of a fork, `plan` turns commands
//! into planned writes, `group` carries them through the store.

mod command;
mod fork;
mod group;
mod head;
mod heads;
mod plan;
mod queue;

pub(crate) use command::Command;
pub(crate) use group::hand_over;
pub(crate) use heads::Heads;
pub(crate) use plan::Moved;
pub(crate) use queue::{Full, Queue};
