//! Signed calls of workers, after Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.
//!
//! Owns: the check of a signature, its age, and that no message is taken twice.

mod verify;

use tidegate_db::DbError;
use tidegate_types::ErrorCode;

/// The headers of a signed call, as they came.
#[derive(Clone, Copy, Debug)]
pub struct SignatureHeaders<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or more, separated by spaces.
    pub signature: &'a str,
}

/// A signed call was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or malformed.
    #[error("the signature's headers are malformed")]
    Malformed,
    /// Older or newer than the tolerance.
    #[error("the signature's time is too far from now")]
    Stale,
    /// No signature is that of the key.
    #[error("the signature is wrong")]
    Wrong,
    /// The message was taken before.
    #[error("the message was sent before")]
    Repeated,
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl SignatureError {
    /// What the client is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed | Self::Stale | Self::Wrong | Self::Repeated => ErrorCode::BadSignature,
            Self::Db(error) => error.code(),
        }
    }
}
