//! Own access tokens: how they are made, and what one must say to be taken.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::{Value, json};
use tidegate_types::{Entropy, SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::compact::Compact;
use super::keys::Keys;
use crate::AuthError;

/// How far in the future a token may have been made: another node's clock.
const ISSUED_AHEAD: Duration = Duration::from_secs(30);
const KIND: &str = "at+jwt";

/// Names of the parties, as tokens carry them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parties<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
}

/// What a genuine own token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnClaims {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) expires_at: Timestamp,
}

/// Makes an access token.
pub(crate) fn issue(
    keys: &Keys,
    parties: Parties<'_>,
    (user, session): (UserId, SessionId),
    (now, life): (Timestamp, Duration),
    entropy: &dyn Entropy,
) -> Result<SecretString, AuthError> {
    let mut header = json!({ "alg": keys.own.name, "typ": KIND });
    if let (Value::Object(members), Some(kid)) = (&mut header, &keys.own.kid) {
        members.insert("kid".to_owned(), json!(kid));
    }
    let issued = now.as_secs();
    let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX / 2);
    let claims = json!({
        "iss": parties.issuer,
        "aud": parties.audience,
        "sub": user,
        "sid": session,
        "iat": issued,
        "exp": issued.saturating_add(life),
        "jti": Uuid::from_bytes(entropy.array()).simple().to_string(),
    });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &keys.own.encoding, keys.own.algorithm)
        .map_err(|_| AuthError::Invalid)?;
    Ok(SecretString::from(format!("{message}.{signature}")))
}

/// Checks a token that claims to be ours. Only after its signature held may it be told that it
/// has merely expired.
pub(crate) fn check(
    keys: &Keys,
    parties: Parties<'_>,
    token: &Compact<'_>,
    now: Timestamp,
) -> Result<OwnClaims, AuthError> {
    let header = &token.header;
    let key_fits = header.kid.is_none() || header.kid == keys.own.kid;
    if header.algorithm != keys.own.name || header.kind != KIND || !key_fits {
        return Err(AuthError::Invalid);
    }
    let signed = jsonwebtoken::crypto::verify(
        token.signature,
        token.message.as_bytes(),
        &keys.own.decoding,
        keys.own.algorithm,
    );
    if !signed.unwrap_or(false) {
        return Err(AuthError::Invalid);
    }
    read(parties, token, now).ok_or(AuthError::Invalid)?
}

/// The claims, all present and of the right types; `None` if not.
fn read(parties: Parties<'_>, token: &Compact<'_>, now: Timestamp) -> Option<Result<OwnClaims, AuthError>> {
    let claims = &token.claims;
    if claims.text("iss")? != parties.issuer || claims.text("aud")? != parties.audience {
        return None;
    }
    let user = claims.text("sub")?.parse().ok()?;
    let session = claims.text("sid")?.parse().ok()?;
    let (issued, expires) = (claims.number("iat")?, claims.number("exp")?);
    let at = now.as_secs();
    let ahead = i64::try_from(ISSUED_AHEAD.as_secs()).ok()?;
    if claims.text("jti")?.is_empty() || issued < 0 || expires < issued || issued > at.saturating_add(ahead) {
        return None;
    }
    if let Some(not_before) = claims.member("nbf")
        && not_before.as_i64()? > at
    {
        return None;
    }
    if at >= expires {
        return Some(Err(AuthError::Expired));
    }
    let expires_at = Timestamp::from_millis(expires.saturating_mul(1_000));
    Some(Ok(OwnClaims { user, session, expires_at }))
}
