//! Typed arguments of handlers, each refusing with a problem that names the place.
//!
//! Owns: media types, sizes, nesting, duplicates, pages.
//! Must not: repeat a value that the client sent.

mod body;
mod fields;
mod form;
mod json;
mod page;
mod path;
mod query;
mod whole;

pub(crate) use body::RawBody;
pub(crate) use form::FormOrJson;
pub(crate) use json::{JsonBody, OptionalJson};
pub(crate) use page::{Page, PageArgs};
pub(crate) use path::Path;
pub(crate) use query::{Pair, Query, decoded, query_pairs};
pub(crate) use whole::parse_json;
