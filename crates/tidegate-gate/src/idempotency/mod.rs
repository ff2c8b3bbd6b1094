//! Idempotency keys: the same request again gives the same answer again.
//!
//! Owns: what is remembered of a request, for whom and how long.
//! Must not: hold an answer with a secret in it; such routes take no idempotency key.

mod remember;

/// The right to answer for a key: whoever has it finishes or abandons it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyToken(pub(crate) Option<[u8; 16]>);

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Its status.
    pub status: u16,
    /// The headers that matter.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What is known of a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotent {
    /// Nothing: do it, then finish or abandon it with this.
    Fresh(IdempotencyToken),
    /// It was answered: answer the same.
    Replay(StoredAnswer),
    /// The key was used for another body.
    Conflict,
    /// It is being done right now.
    InProgress,
}
