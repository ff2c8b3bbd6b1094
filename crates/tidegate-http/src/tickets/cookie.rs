//! The feed's cookie: a ticket at first, then its lease's handle.
//!
//! Owns: its attributes.
//! Must not: be readable by scripts, or be sent to any path but the feed's.

use http::HeaderValue;
use tidegate_types::{Secret, SecretKind};

use crate::AppState;
use crate::credential::FEED_COOKIE;

/// A `Set-Cookie` value for the feed. It lives as long as its secret: a ticket until it must be spent,
/// a handle as long as its lease.
pub(crate) fn feed_cookie(state: &AppState, secret: &Secret) -> HeaderValue {
    let limits = state.limits();
    let life = if secret.kind() == SecretKind::Ticket { limits.ticket_seconds } else { limits.lease_seconds };
    let secure = if state.config().is_https() { "; Secure" } else { "" };
    let text = format!(
        "{FEED_COOKIE}={}; Path=/api/v1/events; Max-Age={life}; HttpOnly; SameSite=Strict{secure}",
        secret.reveal()
    );
    // A secret is base64url and the rest is ours, so this is always a header value.
    let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(FEED_COOKIE));
    value.set_sensitive(true);
    value
}
