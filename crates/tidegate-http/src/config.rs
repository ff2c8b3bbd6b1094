//! Settings of the edge, as values.
//!
//! Owns: what they mean (origins, hosts, access rules).
//! Must not: read files or the environment; the binary does.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tidegate_types::{StreamPath, StreamPattern};

/// Everything that the edge can be told.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The origin that people use, such as `https://app.example.org`; no path.
    pub public_url: Option<String>,
    /// Host names that are served besides loopback ones; with an entry here, `Host` is enforced.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate and key; none means plain text.
    pub tls: Option<TlsFiles>,
    /// Origins that may call with credentials, exactly as browsers send them.
    pub cors_origins: Vec<String>,
    /// Who may read and write which streams; the first match wins.
    pub access: Vec<AccessRule>,
    /// What an expiring token does to an open stream.
    pub stream_auth: StreamAuth,
    /// Whether the paths of existing front ends are served.
    pub legacy_routes: bool,
    /// Whether `/metrics` is served here too (off when it has a listener of its own).
    pub serve_metrics: bool,
    /// Whether workers must sign their terminal calls.
    pub signatures_required: bool,
    /// Seconds between two pings of a live stream.
    pub ping_seconds: u64,
    /// Whether strangers may make accounts.
    pub registration: bool,
    /// Whether live streams on plain HTTP/1.1 leave the HTTP server once the head of their answer is
    /// written; without it all are served as those over TLS are.
    pub detach: bool,
    /// Life in seconds of tokens handed out on paths of existing front ends.
    pub legacy_token_seconds: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            public_url: None,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            tls: None,
            cors_origins: Vec::new(),
            access: Vec::new(),
            stream_auth: StreamAuth::Session,
            legacy_routes: true,
            serve_metrics: true,
            signatures_required: false,
            ping_seconds: 15,
            registration: true,
            detach: true,
            legacy_token_seconds: 604_800,
        }
    }
}

/// PEM files of a certificate chain and its key; read again when they change.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// One entry of `[[access]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// Which streams.
    pub path: StreamPattern,
    /// Who may read them.
    #[serde(default)]
    pub read: Who,
    /// Who may create, append, close and delete them.
    #[serde(default)]
    pub write: Who,
    /// Who may subscribe to them, as far as they may read them.
    #[serde(default)]
    pub subscribe: Who,
}

/// Whom an access rule lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// No credential needed.
    Anyone,
    /// Any signed-in user, and services.
    User,
    /// Any API key.
    Service,
    /// Only keys whose scope names the stream.
    #[default]
    Nobody,
}

/// What an expiring token does to the stream that it opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamAuth {
    /// The stream lives as long as the session.
    #[default]
    Session,
    /// It ends at the token's expiry with `reauth`.
    Token,
    /// Checked when it was opened; only a revocation ends it.
    Connect,
}

impl HttpConfig {
    /// The first rule for a stream; none for paths that the server writes itself.
    #[must_use]
    pub fn access_rule(&self, path: &StreamPath) -> Option<&AccessRule> {
        if path.is_reserved() || path.as_str().split('/').next() == Some("__ds") {
            return None;
        }
        self.access.iter().find(|rule| rule.path.matches(path))
    }

    /// Whether anyone may read or write the stream, so that any origin may too, without credentials.
    #[must_use]
    pub fn is_open_to_anyone(&self, path: &StreamPath) -> bool {
        self.access_rule(path).is_some_and(|rule| rule.read == Who::Anyone || rule.write == Who::Anyone)
    }

    /// Whether browsers reach this server by https, so that cookies are `Secure` and `__Host-`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.tls.is_some() || self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The session cookie's name.
    #[must_use]
    pub fn session_cookie(&self) -> &'static str {
        if self.is_https() { "__Host-tidegate" } else { "tidegate" }
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|net| net.contains(&address))
    }

    pub(crate) fn lists_origin(&self, origin: &str) -> bool {
        origin != "null" && self.cors_origins.iter().any(|listed| listed == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str, read: Who) -> AccessRule {
        AccessRule { path: path.parse().unwrap(), read, write: Who::Nobody, subscribe: Who::Nobody }
    }

    #[test]
    fn the_first_matching_rule_wins_and_reserved_paths_match_none() {
        let config = HttpConfig {
            access: vec![rule("public/secret/**", Who::Nobody), rule("**", Who::Anyone)],
            ..HttpConfig::default()
        };
        assert!(config.is_open_to_anyone(&"public/a".parse().unwrap()));
        assert!(!config.is_open_to_anyone(&"public/secret/a".parse().unwrap()));
        assert!(!config.is_open_to_anyone(&"generations/a".parse().unwrap()));
    }
}
