//! Refusals that happen before any handler: audited leaks and the bound on anonymous calls.
//!
//! Owns: which paths count as API calls of nobody.
//! Must not: see a credential's value.

use axum::extract::Request;
use http::HeaderMap;
use tidegate_gate::{Actor, AuditEvent, AuditKind, Rate, network_of};
use tidegate_types::ErrorCode;

use super::Facts;
use super::present::is_anonymous;
use crate::AppState;
use crate::edge::RequestInfo;
use crate::problem::Problem;

/// Writes a credential that stood in a URL to the audit log; its value is never looked at.
pub(crate) async fn audit_leak(state: &AppState, info: &RequestInfo, headers: &HeaderMap) {
    let Facts(facts) = Facts::of(Some(info), headers);
    state
        .gate()
        .audit(AuditEvent::new(AuditKind::CredentialInUrl, Actor::Anonymous).from_client(&facts))
        .await;
}

/// Where API calls go, those of existing front ends too.
const API: [&str; 3] = ["/api/", "/generations/", "/documents"];

/// Bounds the API calls that one address makes without any credential. Auth routes have bounds of
/// their own, streams have caps, and probes must never be refused.
pub(crate) fn limit_anonymous(
    state: &AppState,
    info: &RequestInfo,
    request: &Request,
) -> Result<(), Problem> {
    let path = request.uri().path();
    let is_api = API.iter().any(|prefix| path.starts_with(prefix))
        && !path.starts_with("/api/v1/auth/")
        && path != "/api/v1/openapi.json";
    if !is_api || !is_anonymous(state.config(), request.headers(), request.uri()) {
        return Ok(());
    }
    let key = network_of(info.address).to_string();
    let taken = state.gate().take_rate(Rate::AnonymousAddress, &key);
    taken.map_err(|after| Problem::new(ErrorCode::RateLimited).retry_after(after.0))
}
