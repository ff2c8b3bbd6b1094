//! Query parameters.
//!
//! Owns: the refusal of duplicates, so that two readers of one URL never see two meanings.
//! Must not: see credentials; the middleware has refused them before.

use std::borrow::Cow;
use std::collections::HashSet;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tidegate_types::ErrorCode;

use super::whole::{field_error, pointer};
use crate::AppState;
use crate::problem::Problem;

/// The query as a type; unknown parameters are left alone unless the type denies them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        query_pairs(query)?;
        let reader = || serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        if let Ok(read) = T::deserialize(reader()) {
            return Ok(Self(read));
        }
        // Once more for the name of what is wrong, which costs more than all the rest.
        serde_path_to_error::deserialize(reader()).map(Self).map_err(|error| {
            let pointer = pointer(error.path());
            Problem::new(ErrorCode::ValidationFailed)
                .errors(vec![field_error(pointer, &error.inner().to_string())])
        })
    }
}

/// Up to so many names are held against each other: hashing them costs more.
const FEW: usize = 8;

/// A decoded parameter: its name and its value.
pub(crate) type Pair<'q> = (Cow<'q, str>, Cow<'q, str>);

/// The parameters in order, each name once.
pub(crate) fn query_pairs(query: &str) -> Result<Vec<Pair<'_>>, Problem> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    if has_twins(&pairs) { Err(ErrorCode::DuplicateParameter.into()) } else { Ok(pairs) }
}

fn has_twins(pairs: &[Pair<'_>]) -> bool {
    if pairs.len() > FEW {
        let mut seen = HashSet::new();
        return !pairs.iter().all(|(name, _)| seen.insert(name.as_ref()));
    }
    pairs.iter().enumerate().any(|(at, (name, _))| pairs.iter().take(at).any(|(earlier, _)| earlier == name))
}
