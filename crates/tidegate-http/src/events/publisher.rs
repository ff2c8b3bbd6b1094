//! A key that may publish, before anything else of the request is looked at.

use axum::extract::FromRequestParts;
use http::request::Parts;
use tidegate_gate::{Scope, ServicePrincipal};

use crate::AppState;
use crate::credential::Caller;
use crate::problem::Problem;

/// A key with the scope `events:publish`.
pub(super) struct Publisher(pub(super) ServicePrincipal);

impl FromRequestParts<AppState> for Publisher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self(caller.require_scope(&Scope::EventsPublish)?.clone()))
    }
}
