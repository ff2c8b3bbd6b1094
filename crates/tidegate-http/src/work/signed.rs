//! The signed body of a terminal call (Standard Webhooks).
//!
//! Owns: when a signature is asked for, and reading the body only once it held.
//! Must not: compute a MAC; the gate does.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use serde::de::DeserializeOwned;
use tidegate_gate::{ServicePrincipal, SignatureError, SignatureHeaders};
use tidegate_types::ErrorCode;

use crate::AppState;
use crate::extract::{RawBody, parse_json};
use crate::problem::Problem;
use crate::wire::told;

const NAMES: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// The three headers of Standard Webhooks.
struct Signature {
    id: String,
    timestamp: String,
    signature: String,
}

/// A body and the signature that came with it, if any.
pub(super) struct Signed {
    body: Bytes,
    signature: Option<Signature>,
}

impl FromRequest<AppState> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let signature = signature(request.headers(), state.config().signatures_required)?;
        let RawBody(body) = RawBody::from_request(request, state).await?;
        Ok(Self { body, signature })
    }
}

impl Signed {
    /// The body, once its signature held; where none is required, one that was sent still must.
    pub(super) async fn verify<T: DeserializeOwned>(
        self,
        state: &AppState,
        key: &ServicePrincipal,
    ) -> Result<T, Problem> {
        if let Some(signature) = self.signature {
            let Signature { id, timestamp, signature } = &signature;
            let headers = SignatureHeaders { id, timestamp, signature };
            state.gate().verify_signature(key.key_id, headers, &self.body).await?;
        }
        parse_json(&self.body, state.limits().json_depth)
    }
}

impl From<SignatureError> for Problem {
    fn from(error: SignatureError) -> Self {
        told(&error, error.code())
    }
}

fn signature(headers: &HeaderMap, required: bool) -> Result<Option<Signature>, Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
    match NAMES.map(text) {
        [Some(id), Some(timestamp), Some(signature)] => Ok(Some(Signature { id, timestamp, signature })),
        [None, None, None] if !required => Ok(None),
        _ => Err(Problem::new(ErrorCode::BadSignature)
            .detail("`webhook-id`, `webhook-timestamp` and `webhook-signature` are needed together.")),
    }
}
