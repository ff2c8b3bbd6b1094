//! The session's cookie.
//!
//! Owns: its attributes, and how a sign-out takes cookies back.
//! Must not: be readable by scripts, or travel with requests that other sites start.

use http::HeaderValue;
use tidegate_gate::{ExposeSecret as _, SecretString};

use crate::AppState;
use crate::credential::FEED_COOKIE;

/// A `Set-Cookie` value for a session. By https it is bound to this host and to https.
pub(super) fn session_cookie(state: &AppState, value: &SecretString, life_s: u64) -> HeaderValue {
    let name = state.config().session_cookie();
    header(format!(
        "{name}={}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Lax{}",
        value.expose_secret(),
        secure(state)
    ))
}

/// `Set-Cookie` values that take the session's and the feed's cookie back.
pub(super) fn cleared(state: &AppState) -> [HeaderValue; 2] {
    let (name, secure) = (state.config().session_cookie(), secure(state));
    [
        header(format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")),
        header(format!("{FEED_COOKIE}=; Path=/api/v1/events; Max-Age=0; HttpOnly; SameSite=Strict{secure}")),
    ]
}

fn secure(state: &AppState) -> &'static str {
    if state.config().is_https() { "; Secure" } else { "" }
}

fn header(text: String) -> HeaderValue {
    // Values are base64url and the rest is ours, so this is always a header value.
    let mut value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
