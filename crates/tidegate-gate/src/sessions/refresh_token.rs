//! Refresh tokens: session, number, and a signature under the session's own key.
//!
//! The successor of a token can be derived, so the same retry gets the same answer, and the store
//! keeps one number per session and nothing that would open it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;
use secrecy::SecretString;
use tidegate_types::SessionId;
use uuid::Uuid;

use crate::tokens::Keys;

const PREFIX: &str = "tgr_";
const SESSION_BYTES: usize = 16;
const COUNTER_BYTES: usize = 4;
const MAC_BYTES: usize = 32;
const ENCODED_LEN: usize = 70; // base64url of 52 bytes, no padding

/// The token with this number of a session.
pub(super) fn text(keys: &Keys, session: SessionId, counter: u32) -> SecretString {
    let mut bytes = Vec::with_capacity(SESSION_BYTES + COUNTER_BYTES + MAC_BYTES);
    bytes.extend_from_slice(session.as_uuid().as_bytes());
    bytes.extend_from_slice(&counter.to_be_bytes());
    let mac = keys.of_session(session).chain_update(&bytes).finalize().into_bytes();
    bytes.extend_from_slice(&mac);
    SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Session and number of a genuine token.
pub(super) fn read(keys: &Keys, text: &str) -> Option<(SessionId, u32)> {
    let encoded = text.strip_prefix(PREFIX).filter(|encoded| encoded.len() == ENCODED_LEN)?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let (signed, mac) = bytes.split_at_checked(SESSION_BYTES + COUNTER_BYTES)?;
    let (session, counter) = signed.split_at_checked(SESSION_BYTES)?;
    let session = SessionId::from(Uuid::from_slice(session).ok()?);
    // Compares in constant time.
    keys.of_session(session).chain_update(signed).verify_slice(mac).ok()?;
    Some((session, u32::from_be_bytes(counter.try_into().ok()?)))
}
