//! The configuration in the words of the parts that it goes to.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tidegate_gate::{GateConfig, GateError, GateRetention, IssuerConfig, PasswordParams, SigningKey};
use tidegate_http::{AccessRule, HttpConfig, StreamAuth, TlsFiles, Who};
use tidegate_log::{Keep, KeepRule, LogOptions};
use tidegate_types::{Limits, StreamPattern};

use super::wire::{Setup, unusable};
use crate::config::{self, Config, Refusal};

const DAY: Duration = Duration::from_secs(86_400);
/// Every user's feed.
const FEEDS: &str = "users/*/events";
const REVOCATIONS: Duration = Duration::from_secs(31 * 86_400);

/// The gate's settings.
pub(super) fn gate(setup: &Setup) -> Result<GateConfig, Refusal> {
    let config = &setup.config;
    let auth = &config.auth;
    let key = auth.jwt_key_file.as_deref().map(read_key).transpose()?;
    let secret = match (&auth.jwt_secret, &key) {
        (Some(secret), _) => secret.secret().clone(),
        // The text of a private key is as secret and as random as a secret of its own.
        (None, Some(key)) => key.clone(),
        (None, None) => {
            return Err(Refusal::new(
                "auth.jwt_secret",
                "is missing, so nothing can be signed or sealed",
                "set it in the file, or export JWT_SECRET=$(openssl rand -hex 32)",
            ));
        }
    };
    let mut gate = GateConfig::new(secret);
    if let Some(key) = key {
        gate.signing = SigningKey::Ed25519Pem(key);
    }
    gate.issuer.clone_from(&auth.issuer);
    gate.audience.clone_from(&auth.audience);
    if let Some(life) = auth.jwt_expires_in {
        gate.access_life = life.as_duration();
    }
    gate.issuers = config.issuer.iter().map(issuer).collect();
    gate.password_params =
        PasswordParams { memory_kib: auth.password_memory_kib, passes: auth.password_rounds, lanes: 1 };
    gate.own_origins =
        config.server.public_url.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
    gate.retention = GateRetention { audit: DAY * config.retention.audit_days, revocations: REVOCATIONS };
    Ok(gate)
}

fn read_key(path: &Path) -> Result<SecretString, Refusal> {
    std::fs::read_to_string(path).map(SecretString::from).map_err(|error| {
        Refusal::new(
            "auth.jwt_key_file",
            format!("= {} cannot be read: {error}", path.display()),
            "make one with: openssl genpkey -algorithm ed25519 -out jwt.pem",
        )
    })
}

fn issuer(issuer: &config::IssuerConfig) -> IssuerConfig {
    let usual = || vec!["at+jwt".to_owned(), "jwt".to_owned(), String::new()];
    IssuerConfig {
        iss: issuer.iss.clone(),
        jwks_url: issuer.jwks_url.clone(),
        audience: issuer.audience.clone(),
        algorithms: issuer.algorithms.clone(),
        types: issuer.typ.as_ref().map_or_else(usual, |typ| vec![typ.to_lowercase()]),
        email_claim: issuer.email_claim.clone(),
    }
}

/// The words of a gate that does not open.
pub(super) fn gate_refusal(database: &Path, error: &GateError) -> Refusal {
    match error {
        GateError::Config { setting, reason } => {
            Refusal::new(setting, reason, "`tidegate config init` shows the shape")
        }
        GateError::Db(error) => unusable(database, error),
    }
}

/// The edge's settings.
pub(super) fn http(config: &Config) -> HttpConfig {
    let server = &config.server;
    let mut http = HttpConfig {
        public_url: server.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        hosts: server.hosts.clone(),
        trusted_proxies: server.trusted_proxies.clone(),
        tls: match (&server.tls_cert, &server.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert: cert.clone(), key: key.clone() }),
            _ => None,
        },
        cors_origins: config.cors.origins.clone(),
        access: config.access.iter().map(access).collect(),
        stream_auth: match config.auth.stream_auth {
            config::StreamAuth::Session => StreamAuth::Session,
            config::StreamAuth::Token => StreamAuth::Token,
            config::StreamAuth::Connect => StreamAuth::Connect,
        },
        registration: config.auth.registration,
        legacy_routes: server.legacy_routes,
        detach: server.detach,
        serve_metrics: server.metrics_addr.is_none(),
        signatures_required: config.generations.signatures == config::Signatures::Required,
        ..HttpConfig::default()
    };
    if let Some(life) = config.auth.jwt_expires_in {
        http.legacy_token_seconds = life.as_secs();
    }
    http
}

/// The log's bounds, and what streams keep.
pub(super) fn log(setup: &Setup, limits: &Limits) -> Result<LogOptions, Refusal> {
    let config = &setup.config;
    let feeds: StreamPattern =
        FEEDS.parse().map_err(|error| Refusal::new("retention.feed_days", error, "report this"))?;
    let max_age = Some(DAY * config.retention.feed_days);
    let feeds = KeepRule { path: feeds, keep: Keep { max_age, ..Keep::default() } };
    let mut options = LogOptions::from_limits(limits);
    options.keep = std::iter::once(feeds).chain(config.retain.iter().map(keep_rule)).collect();
    Ok(options)
}

fn keep_rule(rule: &config::RetainRule) -> KeepRule {
    let keep = Keep {
        max_age: rule.max_age.map(config::Lifetime::as_duration),
        max_records: rule.max_records,
        max_bytes: rule.max_bytes,
    };
    KeepRule { path: rule.path.clone(), keep }
}

fn access(rule: &config::AccessRule) -> AccessRule {
    AccessRule {
        path: rule.path.clone(),
        read: who(rule.read),
        write: who(rule.write),
        subscribe: who(rule.subscribe),
    }
}

fn who(who: config::Who) -> Who {
    match who {
        config::Who::Anyone => Who::Anyone,
        config::Who::User => Who::User,
        config::Who::Service => Who::Service,
        config::Who::Nobody => Who::Nobody,
    }
}
