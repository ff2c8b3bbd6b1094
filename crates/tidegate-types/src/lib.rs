//! The words that every other crate speaks: ids, stream paths, offsets, limits,
//! error codes, the clock and randomness.
//!
//! Owns: how each of these is parsed, printed and bounded.
//! Must not: do IO, know a table, know HTTP beyond the status a code maps to.

mod clock;
mod entropy;
mod error_code;
mod ids;
mod limits;
mod offset;
mod secret;
mod stream_path;

pub use clock::{Clock, SystemClock, Timestamp};
pub use entropy::{Entropy, OsEntropy};
pub use error_code::ErrorCode;
pub use ids::{
    ConnectionId, ConversationId, DocumentId, FeedEventId, GenerationId, IdError, KeyId, LeaseId, RequestId,
    SessionId, TicketId, UserId,
};
pub use limits::{LimitOutOfRange, LimitSpec, Limits};
pub use offset::{EventCursor, Offset, OffsetError, ReadFrom};
pub use secret::{ResumeTag, Secret, SecretKind, SecretParseError};
pub use stream_path::{RESERVED_PREFIXES, StreamPath, StreamPathError, StreamPattern};
