//! Live tails: every stream of server-sent events goes out through [`respond`].
//!
//! Owns: where a tail starts, who may open it, its frames, pings and ends.
//! Must not: know the HTTP server. A [`Tail`] is a cursor, a connection of the gate and an encoder;
//! the response body is only one way to pull its chunks.

mod body;
mod counted;
mod expiry;
mod head;
mod held;
mod open;
mod problem;
mod pump;
mod request;
mod slot;
mod start;
mod write;

pub(crate) use body::Tail;
pub(crate) use counted::Counted;
pub(crate) use open::{Reader, admit, respond, stream_ref};
pub(crate) use request::{DefaultStart, TailArgs, TailFraming, TailRequest};
pub(crate) use start::refusal;
