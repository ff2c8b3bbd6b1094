//! Bodies that may be a form or JSON, for routes whose callers send either.
//!
//! Owns: urlencoded, multipart and JSON bodies as one type. Form fields arrive as strings.
//! Must not: take file parts.

use axum::extract::{FromRequest, Multipart, Request};
use serde::de::DeserializeOwned;
use tidegate_types::ErrorCode;

use super::body::collect;
use super::fields::Fields;
use super::json::{is_json, media_type};
use super::whole::parse_json;
use crate::AppState;
use crate::problem::{Problem, code_for_status};

/// A form (urlencoded or multipart) or a JSON object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormOrJson<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for FormOrJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if is_json(request.headers()) {
            let bytes = collect(request.into_body()).await?;
            return parse_json(&bytes, state.limits().json_depth).map(Self);
        }
        match media_type(request.headers()).as_str() {
            "application/x-www-form-urlencoded" => urlencoded(request).await?.read().map(Self),
            "multipart/form-data" => multipart(request, state).await?.read().map(Self),
            _ => Err(Problem::new(ErrorCode::UnsupportedMediaType).detail("the body must be a form or JSON")),
        }
    }
}

async fn urlencoded(request: Request) -> Result<Fields, Problem> {
    let bytes = collect(request.into_body()).await?;
    let mut fields = Fields::default();
    for (name, value) in form_urlencoded::parse(&bytes) {
        fields.add(name.into_owned(), value.into_owned())?;
    }
    Ok(fields)
}

async fn multipart(request: Request, state: &AppState) -> Result<Fields, Problem> {
    let malformed = || Problem::new(ErrorCode::InvalidRequest).detail("the multipart body is malformed");
    let mut parts = Multipart::from_request(request, state).await.map_err(|_| malformed())?;
    let mut fields = Fields::default();
    loop {
        let next = parts.next_field().await;
        let Some(part) = next.map_err(|error| Problem::new(code_for_status(error.status())))? else { break };
        if part.file_name().is_some() {
            return Err(Problem::new(ErrorCode::ValidationFailed).detail("this form takes no files"));
        }
        let name = part.name().map(str::to_owned).ok_or_else(malformed)?;
        let text = part.text().await.map_err(|error| Problem::new(code_for_status(error.status())))?;
        fields.add(name, text)?;
    }
    Ok(fields)
}
