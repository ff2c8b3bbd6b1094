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
    let pairs: Vec<_> = decoded(query).collect();
    if has_twins(&pairs) { Err(ErrorCode::DuplicateParameter.into()) } else { Ok(pairs) }
}

/// The parameters in order, decoded where they have to be.
pub(crate) fn decoded(query: &str) -> impl Iterator<Item = Pair<'_>> {
    let is_plain = !query.bytes().any(|byte| matches!(byte, b'%' | b'+'));
    let (plain, other) = if is_plain { (query, "") } else { ("", query) };
    let pieces = plain.split('&').filter(|piece| !piece.is_empty());
    let plain = pieces.map(|piece| piece.split_once('=').unwrap_or((piece, "")));
    plain
        .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)))
        .chain(form_urlencoded::parse(other.as_bytes()))
}

fn has_twins(pairs: &[Pair<'_>]) -> bool {
    if pairs.len() > FEW {
        let mut seen = HashSet::new();
        return !pairs.iter().all(|(name, _)| seen.insert(name.as_ref()));
    }
    pairs.iter().enumerate().any(|(at, (name, _))| pairs.iter().take(at).any(|(earlier, _)| earlier == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_read_as_forms_do_whether_or_not_they_need_decoding() {
        for query in
            ["", "&", "a", "a=", "=b", "a=b=c", "a=1&&b=2&", "a=%20&b=+", "x=%2", "ä=ö", "a&a", "?a=1#b"]
        {
            let expected: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
            assert_eq!(decoded(query).collect::<Vec<_>>(), expected, "{query}");
        }
    }
}
