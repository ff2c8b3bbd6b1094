//! The keys that webhooks are signed with.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;

use crate::AppState;

/// The public keys that calls of webhooks are signed with (RFC 7517, RFC 8037). For everybody.
#[utoipa::path(
    get, path = "/v1/stream/__ds/jwks.json", tag = "subscriptions", security(()),
    responses((status = 200, content_type = "application/jwk-set+json", description = "the keys; the first one signs"))
)]
pub(super) async fn list_signing_keys(State(state): State<AppState>) -> Response {
    let keys = state.subscriptions().signing_keys().iter().map(|key| {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": key.x, "kid": key.kid, "use": "sig", "alg": "EdDSA" })
    });
    let set = json!({ "keys": keys.collect::<Vec<_>>() });
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, set.to_string()).into_response()
}
