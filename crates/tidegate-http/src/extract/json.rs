//! JSON bodies.
//!
//! Owns: which content types count as JSON.
//! Must not: know any shape.

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use tidegate_types::ErrorCode;

use super::body::collect;
use super::whole::parse_json;
use crate::AppState;
use crate::problem::Problem;

/// A JSON body that must be there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(
                Problem::new(ErrorCode::UnsupportedMediaType).detail("the body must be application/json")
            );
        }
        let bytes = collect(request.into_body()).await?;
        parse_json(&bytes, state.limits().json_depth).map(Self)
    }
}

/// A JSON body whose fields are all optional: none, an empty one and `{}` mean the same, with or
/// without a content type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = collect(request.into_body()).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        if !is_json && bytes.trim_ascii() != b"{}" {
            return Err(
                Problem::new(ErrorCode::UnsupportedMediaType).detail("the body must be application/json")
            );
        }
        parse_json(&bytes, state.limits().json_depth).map(Self)
    }
}

/// `application/json` or any `application/*+json`, whatever its parameters.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let essence = media_type(headers);
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The media type without parameters, in lower case; empty when there is none.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
