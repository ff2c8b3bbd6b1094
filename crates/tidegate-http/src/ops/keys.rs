//! The public keys of this server's own tokens.
//!
//! Owns: `/.well-known/jwks.json`; anyone may read it.
//! Must not: hold a private key.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CACHE_CONTROL;

use crate::AppState;

/// The public keys (none when tokens are signed with a shared secret).
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "operations", security(()),
    responses((status = 200, description = "a JSON Web Key Set (RFC 7517)"))
)]
pub(crate) async fn jwks(State(state): State<AppState>) -> impl IntoResponse {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(state.gate().jwks()))
}
