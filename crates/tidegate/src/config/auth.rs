//! `[auth]`: tokens, passwords and how long a live stream trusts them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::spec::section;
use super::{Hidden, Lifetime, Mode, Refusal, secret};

/// What a live stream does when the token that opened it expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamAuth {
    /// It lives as long as the session.
    #[default]
    Session,
    /// It ends with `reauth` when the token expires.
    Token,
    /// It was checked when it was opened; only a revocation ends it.
    Connect,
}

section! {
    /// Tokens, passwords and sessions.
    AuthConfig in "auth" {
        /// The secret that signs access tokens (HS256), at least 32 bytes; also JWT_SECRET.
        jwt_secret: Option<Hidden> = None, Secret;
        /// An Ed25519 private key (PKCS#8 PEM): access tokens are signed with EdDSA instead of HS256.
        jwt_key_file: Option<PathBuf> = None, Path;
        /// Life of an access token, like 900, 15m or 7d; also JWT_EXPIRES_IN. Default: 10m, and 7d on the paths of existing front ends.
        jwt_expires_in: Option<Lifetime> = None, Text;
        /// Whether strangers may make accounts; `tidegate user add` always may.
        registration: bool = true, Flag;
        /// The `iss` of our tokens.
        issuer: String = "tidegate".to_owned(), Text;
        /// The `aud` of our tokens.
        audience: String = "tidegate".to_owned(), Text;
        /// When a live stream has to end: `session`, `token` or `connect`.
        stream_auth: StreamAuth = StreamAuth::Session, Text;
        /// Memory of one password hash (Argon2id), in KiB.
        password_memory_kib: u32 = 19_456, Number;
        /// Rounds of one password hash (Argon2id).
        password_rounds: u32 = 2, Number;
    }
}

/// Cheaper hashes than these are only for tests, which set them in code.
const MEMORY_KIB_MIN: u32 = 7_168;
const MEMORY_KIB_MAX: u32 = 1_048_576;
const ROUNDS_MAX: u32 = 100;
const TOKEN_SECONDS_MAX: u64 = 365 * 86_400;

impl AuthConfig {
    pub(super) fn check(&self, mode: Mode, refusals: &mut Vec<Refusal>) {
        self.check_keys(mode, refusals);
        if let Some(lifetime) = self.jwt_expires_in
            && !(1..=TOKEN_SECONDS_MAX).contains(&lifetime.as_secs())
        {
            refusals.push(Refusal::new(
                "auth.jwt_expires_in",
                format!("= {lifetime} is out of range"),
                "use 1 second to 365 days, like 15m",
            ));
        }
        if !(MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(&self.password_memory_kib) {
            refusals.push(Refusal::new(
                "auth.password_memory_kib",
                format!("= {} is out of range", self.password_memory_kib),
                format!("use {MEMORY_KIB_MIN} to {MEMORY_KIB_MAX}"),
            ));
        }
        if !(1..=ROUNDS_MAX).contains(&self.password_rounds) {
            refusals.push(Refusal::new(
                "auth.password_rounds",
                format!("= {} is out of range", self.password_rounds),
                format!("use 1 to {ROUNDS_MAX}"),
            ));
        }
        for (name, value) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if value.is_empty() {
                refusals.push(Refusal::new(
                    format!("auth.{name}"),
                    "is empty",
                    "leave it out, or name the service",
                ));
            }
        }
    }

    fn check_keys(&self, mode: Mode, refusals: &mut Vec<Refusal>) {
        if let Some(hidden) = &self.jwt_secret {
            refusals.extend(secret::weakness(hidden.reveal()));
        }
        if let Some(path) = &self.jwt_key_file {
            refusals.extend(secret::key_file(path));
        }
        // With a key file alone, its text stands in for the secret.
        if self.jwt_secret.is_none() && self.jwt_key_file.is_none() && mode == Mode::Serve {
            refusals.push(Refusal::new(
                "auth.jwt_secret",
                "is missing, so nothing can be signed",
                secret::CURE,
            ));
        }
    }
}
