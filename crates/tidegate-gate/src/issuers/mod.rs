//! Outside issuers: whose users we let in without a password of our own.
//!
//! Owns: their keys (fetched, cached, bounded), the check of their tokens, and the account that
//! stands for each of their users.
//! Must not: fetch anything that a token names, or mix the keys of two issuers.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// An issuer whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerConfig {
    /// Its name, exactly as in the `iss` claim.
    pub iss: String,
    /// Where its public keys are.
    pub jwks_url: String,
    /// What the `aud` claim must hold.
    pub audience: String,
    /// The algorithms that it signs with, e.g. `RS256`; never a symmetric one.
    pub algorithms: Vec<String>,
    /// The accepted `typ` headers in lower case; an empty text stands for a missing one.
    pub types: Vec<String>,
    /// The claim that holds the user's email.
    pub email_claim: String,
}

/// Fetches a small public document. The binary wires it, with its own rules on addresses.
#[async_trait]
pub trait Fetch: Send + Sync + fmt::Debug {
    /// The body of a successful answer to a GET.
    async fn fetch(&self, url: &str, bound_bytes: usize, timeout: Duration) -> Result<Vec<u8>, FetchError>;
}

/// A document could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not fetch: {0}")]
pub struct FetchError(pub String);

/// Fetches nothing: for servers without outside issuers, and for the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFetch;

#[async_trait]
impl Fetch for NoFetch {
    async fn fetch(&self, _: &str, _: usize, _: Duration) -> Result<Vec<u8>, FetchError> {
        Err(FetchError("outgoing calls are off".to_owned()))
    }
}
