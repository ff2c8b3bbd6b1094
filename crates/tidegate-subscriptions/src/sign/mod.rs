//! Keys: what webhooks are signed with, and what callbacks and claims are let in by.
//!
//! Owns: the Ed25519 key and its seal at rest, the signature header, the tokens.
//! Must not: show a private key or keep a token; tokens are derived again when they come back.

mod key;
mod seal;
mod token;

pub use key::PublicKey;
pub(crate) use key::Signer;
pub(crate) use token::TokenKey;
