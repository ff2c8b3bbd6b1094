//! Arguments of this area: the usual extractors, refusing in its own shape.

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tidegate_subscriptions::SubscriptionId;
use tidegate_types::ErrorCode;

use super::refusal::Refusal;
use crate::AppState;
use crate::edge::{RequestInfo, host_of, origin_of};
use crate::extract::{Path, RawBody};
use crate::problem::Problem;

/// Any of the usual arguments.
pub(super) struct Asked<T>(pub(super) T);

impl<T> FromRequestParts<AppState> for Asked<T>
where
    T: FromRequestParts<AppState, Rejection = Problem>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        Ok(Self(T::from_request_parts(parts, state).await?))
    }
}

/// The id in the path.
pub(super) struct Id(pub(super) SubscriptionId);

impl FromRequestParts<AppState> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Self(parse_id(&id)?))
    }
}

pub(super) fn parse_id(text: &str) -> Result<SubscriptionId, Refusal> {
    text.parse().map_err(|error: tidegate_subscriptions::IdRefused| {
        Problem::new(ErrorCode::InvalidRequest).detail(error.to_string()).into()
    })
}

/// Where the client reaches this server.
pub(super) struct Origin(pub(super) String);

impl FromRequestParts<AppState> for Origin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let info = parts.extensions.get::<RequestInfo>();
        let host = host_of(&parts.uri, &parts.headers);
        Ok(Self(origin_of(state.config(), host, info.is_some_and(|info| info.https))))
    }
}

/// The token of a wake. Not logged, not shown; without one the refusal is that of a bad one.
pub(super) struct WakeToken(pub(super) String);

impl FromRequestParts<AppState> for WakeToken {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Refusal> {
        let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        match token {
            Some((_, token)) => Ok(Self(token.trim().to_owned())),
            None => Err(ErrorCode::InvalidToken.into()),
        }
    }
}

/// A JSON body of any media type; members that are not known are let be.
pub(super) struct AskedBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for AskedBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refusal> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        let bytes = if bytes.is_empty() { b"{}" } else { &bytes[..] };
        let malformed = |error: serde_json::Error| {
            let detail = match error.classify() {
                serde_json::error::Category::Data => "a member of the body is missing or of another type",
                _ => "the body is not valid JSON",
            };
            Problem::new(ErrorCode::InvalidRequest).detail(detail)
        };
        Ok(Self(serde_json::from_slice(bytes).map_err(malformed)?))
    }
}
