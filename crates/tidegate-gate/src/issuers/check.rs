//! The check of an outside issuer's token, and the account that stands for its user.

use std::time::Duration;

use moka::future::Cache;
use serde_json::{Value, json};
use tidegate_types::{Timestamp, UserId};

use super::jwks::{IssuerKeys, Wanted};
use super::{IssuerConfig, algorithm};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::store::{Identity, UserRow};
use crate::tokens::Compact;
use crate::{AuthError, Gate, Principal, Role, User, UserPrincipal, Via};

/// How far the issuer's clock may be from ours.
const LEEWAY_S: i64 = 30;
const SUBJECT_BYTES_MAX: usize = 255;
const EMAIL_BYTES_MAX: usize = 254;
const KNOWN_USERS: u64 = 20_000;

/// All outside issuers.
#[derive(Debug)]
pub(crate) struct Issuers {
    issuers: Vec<(IssuerConfig, IssuerKeys)>,
    users: Cache<(String, String), UserId>,
}

impl Issuers {
    pub(crate) fn new(configs: &[IssuerConfig]) -> Self {
        let issuers = configs.iter().map(|c| (c.clone(), IssuerKeys::new(c.jwks_url.clone()))).collect();
        let users = Cache::builder().max_capacity(KNOWN_USERS).time_to_live(Duration::from_secs(600)).build();
        Self { issuers, users }
    }
}

/// What a genuine outside token says.
struct OutsideClaims {
    subject: String,
    email: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl Gate {
    pub(crate) async fn authenticate_outside(&self, token: &Compact<'_>) -> Result<Principal, AuthError> {
        let issuer = token.claims.text("iss").ok_or(AuthError::Invalid)?;
        let known = self.inner.issuers.issuers.iter().find(|(config, _)| config.iss == issuer);
        let (config, keys) = known.ok_or(AuthError::Invalid)?;
        self.check_outside_signature(config, keys, token).await?;
        let claims = read(config, token, self.now()).ok_or(AuthError::Invalid)??;
        let id = self.outside_user(config, &claims).await?;
        if self.inner.revocations.user(id, claims.issued_at) {
            return Err(AuthError::Invalid);
        }
        let user = self.present_user(id).await?;
        Ok(Principal::User(UserPrincipal {
            user_id: id,
            session_id: None,
            role: user.role,
            email: user.email.clone(),
            expires_at: Some(claims.expires_at),
            via: Via::Issuer,
        }))
    }

    async fn check_outside_signature(
        &self,
        config: &IssuerConfig,
        keys: &IssuerKeys,
        token: &Compact<'_>,
    ) -> Result<(), AuthError> {
        let header = &token.header;
        let listed = config.algorithms.contains(&header.algorithm) && config.types.contains(&header.kind);
        let algorithm = algorithm(&header.algorithm).filter(|_| listed).ok_or(AuthError::Invalid)?;
        let wanted = Wanted { kid: header.kid.as_deref(), name: &header.algorithm, algorithm };
        let key = keys.find(&*self.inner.fetch, wanted, self.now()).await.ok_or(AuthError::Invalid)?;
        let message = token.message.as_bytes();
        match jsonwebtoken::crypto::verify(token.signature, message, &key.key, algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(AuthError::Invalid),
        }
    }

    /// The account of an outside identity; made when it is first seen.
    async fn outside_user(&self, config: &IssuerConfig, claims: &OutsideClaims) -> Result<UserId, AuthError> {
        let identity = (config.iss.clone(), claims.subject.clone());
        if let Some(id) = self.inner.issuers.users.get(&identity).await {
            return Ok(id);
        }
        let now = self.now();
        let user = User {
            id: UserId::generate(now, self.entropy()),
            email: claims.email.as_str().into(),
            name: None,
            role: Role::User,
            created_at: now,
            disabled_at: None,
        };
        let event = AuditEvent::new(AuditKind::Register, Actor::User(user.id))
            .subject(user.id)
            .detail(json!({ "issuer": config.iss }));
        let row = UserRow {
            user,
            identity: Identity::Outside { issuer: config.iss.clone(), subject: claims.subject.clone() },
        };
        let stored = self.store().find_or_insert_outside(row, vec![event.at(now)]).await?;
        self.inner.issuers.users.insert(identity, stored.user.id).await;
        Ok(stored.user.id)
    }
}

/// The claims, all of the right types; `None` if not.
fn read(
    config: &IssuerConfig,
    token: &Compact<'_>,
    now: Timestamp,
) -> Option<Result<OutsideClaims, AuthError>> {
    let claims = &token.claims;
    let for_us = match claims.member("aud")? {
        Value::String(audience) => *audience == config.audience,
        Value::Array(all) => all.iter().any(|one| one.as_str() == Some(&config.audience)),
        _ => false,
    };
    let subject = claims.text("sub").filter(|s| (1..=SUBJECT_BYTES_MAX).contains(&s.len()))?;
    if !for_us || subject.chars().any(char::is_control) {
        return None;
    }
    let at = now.as_secs();
    let expires = claims.number("exp")?;
    let issued = match claims.member("iat") {
        None => at,
        Some(issued) => issued.as_i64()?,
    };
    let not_before = match claims.member("nbf") {
        None => issued,
        Some(not_before) => not_before.as_i64()?,
    };
    if expires < 0 || issued.max(not_before) > at.saturating_add(LEEWAY_S) {
        return None;
    }
    if at >= expires.saturating_add(LEEWAY_S) {
        return Some(Err(AuthError::Expired));
    }
    let email = claims.text(&config.email_claim).filter(|email| email.len() <= EMAIL_BYTES_MAX);
    let seconds = |s: i64| Timestamp::from_millis(s.saturating_mul(1_000));
    Some(Ok(OutsideClaims {
        subject: subject.to_owned(),
        email: email.unwrap_or_default().to_owned(),
        issued_at: seconds(issued),
        expires_at: seconds(expires.saturating_add(LEEWAY_S)),
    }))
}
