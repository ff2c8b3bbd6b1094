//! A sign-in, with the token under both of its names.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tidegate_gate::{SecretString, SessionKind};
use utoipa::ToSchema;

use crate::AppState;
use crate::auth::{Begun, SignedInBody, reveal};

/// A session began.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LongSignedInBody {
    #[serde(flatten)]
    signed_in: SignedInBody,
    /// The same as `access_token`.
    #[serde(rename = "accessToken", serialize_with = "reveal_known")]
    #[schema(value_type = Option<String>)]
    access_token: Option<SecretString>,
}

impl From<Begun> for LongSignedInBody {
    fn from(begun: Begun) -> Self {
        let access_token = begun.body.tokens.as_ref().map(|tokens| tokens.access_token.clone());
        Self { signed_in: begun.body, access_token }
    }
}

impl IntoResponse for LongSignedInBody {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// Tokens, whatever the body wishes, that live as long as these front ends expect.
pub(super) fn kind(state: &AppState) -> SessionKind {
    SessionKind::TokenFor(Duration::from_secs(state.config().legacy_token_seconds))
}

fn reveal_known<S: serde::Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => reveal(secret, serializer),
        None => serializer.serialize_none(),
    }
}
