//! The catalogue: which types there are, and what their data looks like.

mod check;
mod schema;

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tidegate_types::Timestamp;

use crate::EventType;

pub(crate) use check::Catalogue;

/// A type to register, or to change.
#[derive(Clone, Debug)]
pub struct NewType {
    /// Its name.
    pub name: EventType,
    /// A JSON Schema (2020-12 unless it says otherwise) that data must match.
    pub schema: Option<Value>,
    /// What it tells, for people.
    pub description: Option<String>,
}

/// A type of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CatalogueType {
    /// Its name.
    pub name: EventType,
    /// What it tells, for people.
    pub description: Option<String>,
    /// What its data must match.
    pub schema: Option<Arc<Value>>,
    /// Whether the server itself publishes it.
    pub own: bool,
    /// When it was registered; the server's own always were.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

/// One place where data does not match its schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// A JSON pointer into the request, e.g. `/data/title`.
    pub pointer: String,
    /// What is wrong there, without the value.
    pub detail: String,
}
