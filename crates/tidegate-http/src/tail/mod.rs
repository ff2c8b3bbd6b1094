//! Live tails: every stream of server-sent events goes out through [`respond`].
//!
//! Owns: where a tail starts, who may open it, its frames, pings and ends.
//! Must not: know the HTTP server. A [`Tail`] is a cursor, a connection of the gate and an encoder.
//! The body is one way to send its bytes; the shards (`crate::shards`) are the other.

mod batch;
mod body;
mod counted;
mod expiry;
mod head;
mod held;
mod open;
mod opened;
mod problem;
mod pump;
mod request;
mod slot;
mod start;
mod write;

use std::time::Duration;

use tidegate_gate::EndReason;

pub(crate) use batch::{Batch, Style};
pub(crate) use body::TailBody;
pub(crate) use counted::Counted;
pub(crate) use held::Held;
pub(crate) use open::{Reader, admit, respond, respond_to, stream_ref};
pub(crate) use opened::{Detachable, Tail};
pub(crate) use request::{DefaultStart, TailArgs, TailFraming, TailRequest};
pub(crate) use start::refusal;
pub(crate) use write::Writer;

use crate::AppState;

/// How long a tail outlives a database that can't be read.
pub(crate) const READ_RETRIES: u32 = 30;
pub(crate) const READ_RETRY_AFTER: Duration = Duration::from_secs(1);
/// When readers come back: spread, so that a restart does not bring all at once.
const RETRY_MS: (u32, u32) = (1_000, 4_000);

/// What an end says about coming back. After a drain all come at once; each gets a time of its own.
pub(crate) fn retry_ms(state: &AppState, reason: EndReason) -> Option<u32> {
    (reason == EndReason::Drain).then(|| state.entropy().in_range(RETRY_MS.0, RETRY_MS.1))
}
