//! `[[issuer]]`: outside identity providers whose tokens are accepted.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// One outside issuer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The exact `iss` of its tokens.
    pub iss: String,
    /// Where its public keys are.
    pub jwks_url: String,
    /// The `aud` that its tokens must carry.
    pub audience: String,
    /// Accepted algorithms.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<String>,
    /// The `typ` that its tokens must carry; unset: `at+jwt`, `JWT` or none.
    #[serde(default)]
    pub typ: Option<String>,
    /// The claim that holds the user's email.
    #[serde(default = "default_email_claim")]
    pub email_claim: String,
}

const ALGORITHMS: [&str; 6] = ["RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"];

fn default_email_claim() -> String {
    "email".to_owned()
}

fn default_algorithms() -> Vec<String> {
    vec!["RS256".to_owned(), "ES256".to_owned(), "EdDSA".to_owned()]
}

pub(super) fn check(issuers: &[IssuerConfig], own: &str, refusals: &mut Vec<Refusal>) {
    let mut seen = HashSet::new();
    for issuer in issuers {
        let named = format!("[[issuer]] {}", issuer.iss);
        if issuer.iss.is_empty() || issuer.iss == own || !seen.insert(&issuer.iss) {
            refusals.push(Refusal::new(
                &named,
                "is empty, our own or named twice",
                "give each issuer its own exact `iss`",
            ));
        }
        let loopback = issuer.jwks_url.starts_with("http://127.0.0.1")
            || issuer.jwks_url.starts_with("http://localhost");
        if !issuer.jwks_url.starts_with("https://") && !loopback {
            refusals.push(Refusal::new(
                format!("{named} jwks_url"),
                format!("= {} is not https", issuer.jwks_url),
                "use the provider's https URL",
            ));
        }
        for algorithm in &issuer.algorithms {
            if !ALGORITHMS.contains(&algorithm.as_str()) {
                refusals.push(Refusal::new(
                    format!("{named} algorithms"),
                    format!("= {algorithm} is not accepted"),
                    format!("use some of {}", ALGORITHMS.join(", ")),
                ));
            }
        }
        if issuer.audience.is_empty() {
            refusals.push(Refusal::new(
                format!("{named} audience"),
                "is empty, so tokens for other services would be let in",
                "name the audience that your provider puts into tokens for this service",
            ));
        }
    }
}
