//! When a token's expiry ends the stream that it opened.
//!
//! Owns: the setting `stream_auth`.
//! Must not: follow sessions; the gate ends the connections of a session that ends.

use tidegate_gate::Principal;
use tidegate_types::Timestamp;

use crate::StreamAuth;

/// The time at which the stream ends with `reauth`, if its token decides that.
pub(super) fn ends_at(policy: StreamAuth, principal: &Principal) -> Option<Timestamp> {
    let Principal::User(user) = principal else { return None };
    match policy {
        StreamAuth::Connect => None,
        StreamAuth::Token => user.expires_at,
        // Without a session of ours (an outside issuer) the token is all that there is to follow.
        StreamAuth::Session if user.session_id.is_none() => user.expires_at,
        StreamAuth::Session => None,
    }
}
