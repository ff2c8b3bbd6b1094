//! Which secrets are refused: short ones, well-known ones, and files that others may read.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Refusal;

/// How to make a good one.
pub(super) const CURE: &str = "make one with: export JWT_SECRET=$(openssl rand -hex 32)";

const BYTES_MIN: usize = 32;
const DISTINCT_MIN: usize = 6;

/// Phrases of secrets that stand in tutorials and sample files.
const DEFAULTS: [&str; 20] = [
    "changeme",
    "change-me",
    "change_me",
    "change-this",
    "change_this",
    "change-in-prod",
    "change_in_prod",
    "changethis",
    "your-secret",
    "your_secret",
    "yoursecret",
    "your-super-secret",
    "your-jwt-secret",
    "your_jwt_secret",
    "replace-me",
    "replace_me",
    "super-secret",
    "supersecret",
    "default-secret",
    "insecure",
];

/// Why this secret can't sign anything, if so. The secret itself is never part of the words.
pub(super) fn weakness(secret: &str) -> Option<Refusal> {
    let setting = "auth.jwt_secret";
    let lower = secret.to_lowercase().replace(' ', "-");
    if DEFAULTS.iter().any(|phrase| lower.contains(phrase)) || lower == "secret" {
        return Some(Refusal::new(setting, "is a well-known default", CURE));
    }
    if secret.len() < BYTES_MIN {
        let why = format!("is {} bytes long, at least {BYTES_MIN} are needed", secret.len());
        return Some(Refusal::new(setting, why, CURE));
    }
    let mut seen = [false; 256];
    for byte in secret.bytes() {
        if let Some(slot) = seen.get_mut(usize::from(byte)) {
            *slot = true;
        }
    }
    if seen.iter().filter(|slot| **slot).count() < DISTINCT_MIN {
        return Some(Refusal::new(setting, "repeats a few characters and is easily guessed", CURE));
    }
    None
}

/// Why this key file can't be used, if so.
pub(super) fn key_file(path: &Path) -> Option<Refusal> {
    let setting = "auth.jwt_key_file";
    match std::fs::metadata(path) {
        Err(error) => Some(Refusal::new(
            setting,
            format!("= {} cannot be read: {error}", path.display()),
            "make one with: openssl genpkey -algorithm ed25519 -out jwt.pem",
        )),
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Some(Refusal::new(
            setting,
            format!("= {} can be read by other users", path.display()),
            format!("run: chmod 600 {}", path.display()),
        )),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_refused_without_being_repeated() {
        for weak in [
            "secret",
            "short",
            "your-secret-key-please-change-in-production-now",
            "supersecretsupersecretsupersecretsupersecret",
            "abababababababababababababababababab",
        ] {
            let refusal = weakness(weak).unwrap_or_else(|| panic!("{weak} was accepted"));
            assert!(!refusal.to_string().contains(weak) || weak == "secret");
        }
        assert_eq!(weakness("0f8e7c6b5a4938271605f4e3d2c1b0a9"), None);
    }
}
