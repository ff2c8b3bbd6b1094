//! What two requests with one idempotency key must have in common.

use serde::Serialize;

/// The body as read, so that spaces and the order of members make no difference.
pub(crate) fn same_body<T: Serialize>(body: &T) -> Vec<u8> {
    // Serialising what was read from JSON cannot fail; nothing would equal nothing.
    serde_json::to_vec(body).unwrap_or_default()
}
