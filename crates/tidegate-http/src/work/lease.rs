//! A worker with its lease on one generation.
//!
//! Owns: the scope and the `Tidegate-Lease` header that every report needs.
//! Must not: know whether the lease is the present one.

use axum::extract::FromRequestParts;
use http::request::Parts;
use secrecy::SecretString;
use tidegate_gate::{Scope, ServicePrincipal};
use tidegate_types::{ErrorCode, GenerationId, Secret, SecretKind};

use crate::AppState;
use crate::credential::Caller;
use crate::extract::Path;
use crate::generations::parse_id;
use crate::problem::Problem;

/// The header that carries a lease.
pub(super) const LEASE_HEADER: &str = "tidegate-lease";

/// A key that may work.
pub(super) struct Worker(pub(super) ServicePrincipal);

/// A key that may work, the generation of the path, and the lease that came along.
pub(super) struct Held {
    pub(super) key: ServicePrincipal,
    pub(super) id: GenerationId,
    pub(super) lease: SecretString,
}

impl FromRequestParts<AppState> for Worker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self(caller.require_scope(&Scope::GenerationsWork)?.clone()))
    }
}

impl FromRequestParts<AppState> for Held {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Worker(key) = Worker::from_request_parts(parts, state).await?;
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        let lease = parts.headers.get(LEASE_HEADER).ok_or_else(missing)?;
        let lease = lease.to_str().ok().filter(|text| Secret::parse(SecretKind::WorkerLease, text).is_ok());
        let lease =
            lease.ok_or_else(|| Problem::new(ErrorCode::Fenced).detail("The lease is not one of ours."))?;
        Ok(Self { key, id: parse_id(&id)?, lease: lease.into() })
    }
}

fn missing() -> Problem {
    Problem::new(ErrorCode::InvalidRequest)
        .detail("The header `Tidegate-Lease` is missing.")
        .hint("Send the `lease_token` of the claim as `Tidegate-Lease`.")
}
