//! Outside issuers: whose users we let in without a password of our own.
//!
//! Owns: their keys (fetched, cached, bounded), the check of their tokens, and the account that
//! stands for each of their users.
//! Must not: fetch anything that a token names, or mix the keys of two issuers.

mod check;
mod jwks;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::Algorithm;

pub(crate) use check::Issuers;

use crate::GateError;

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

impl IssuerConfig {
    /// Refuses settings that could never let anyone in, or would let too many in.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn validate(&self) -> Result<(), GateError> {
        let refused = |reason: String| Err(GateError::Config { setting: "issuer", reason });
        if self.iss.is_empty() || self.audience.is_empty() {
            return refused("`iss` and `audience` must be set".to_owned());
        }
        let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        if !self.jwks_url.starts_with("https://") && !loopback.iter().any(|l| self.jwks_url.starts_with(l)) {
            return refused("`jwks_url` must be https".to_owned());
        }
        if self.algorithms.is_empty() || self.types.is_empty() {
            return refused("`algorithms` and `types` must list at least one".to_owned());
        }
        match self.algorithms.iter().find(|name| algorithm(name).is_none()) {
            Some(name) => refused(format!("`{name}` is no algorithm with a public key that is known here")),
            None => Ok(()),
        }
    }
}

/// The algorithm of this name, if it has a public key.
fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "RS512" => Some(Algorithm::RS512),
        "PS256" => Some(Algorithm::PS256),
        "PS384" => Some(Algorithm::PS384),
        "PS512" => Some(Algorithm::PS512),
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
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
