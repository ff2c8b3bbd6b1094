//! The whole body as bytes, within the bounds that the middleware put around it.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http_body_util::BodyExt as _;

use crate::AppState;
use crate::edge::BodyError;
use crate::problem::Problem;

/// A body of any media type.
#[derive(Clone, Debug)]
pub(crate) struct RawBody(pub(crate) Bytes);

impl FromRequest<AppState> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        collect(request.into_body()).await.map(Self)
    }
}

pub(super) async fn collect(body: Body) -> Result<Bytes, Problem> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(BodyError::of(&error).code().into()),
    }
}
