//! What idempotency keys ask of a store.

use async_trait::async_trait;
use tidegate_db::DbError;
use tidegate_types::Timestamp;

use crate::StoredAnswer;

/// A request with an idempotency key.
#[derive(Clone, Debug)]
pub struct BeginRequest {
    /// SHA-256 of principal, route and key.
    pub digest: [u8; 32],
    /// SHA-256 of the body.
    pub body: [u8; 32],
    /// What the caller would finish it with.
    pub token: [u8; 16],
    /// When.
    pub now: Timestamp,
    /// How long it is remembered.
    pub expires_at: Timestamp,
    /// One that was begun before this and never finished may be begun again.
    pub stuck_before: Timestamp,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing; it is the caller's now.
    Fresh,
    /// It was answered.
    Answered(StoredAnswer),
    /// The key was used for another body.
    Conflict,
    /// Somebody is at it.
    InProgress,
}

/// Keeps what is remembered of requests.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Decides and notes, in one transaction.
    async fn begin_request(&self, begin: BeginRequest) -> Result<Begun, DbError>;

    /// Keeps the answer, if the request is still the caller's.
    async fn finish_request(&self, token: [u8; 16], answer: StoredAnswer) -> Result<(), DbError>;

    /// Forgets the request, if it is still the caller's and has no answer.
    async fn abandon_request(&self, token: [u8; 16]) -> Result<(), DbError>;

    /// Drops at most `limit` requests that need not be remembered any more.
    async fn sweep_requests(&self, now: Timestamp, limit: u32) -> Result<u64, DbError>;
}
