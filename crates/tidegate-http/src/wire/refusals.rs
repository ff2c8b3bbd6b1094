//! How the OpenAPI document names the refusals of a route.
//!
//! Owns: one small type per group of statuses; a route lists the groups that it can answer.
//! Must not: be used at run time; `Problem` is.

use std::collections::BTreeMap;

use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema as _};

use crate::problem::ProblemBody;

type Answers = BTreeMap<String, RefOr<Response>>;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = [$(($status:literal, $text:literal)),* $(,)?];)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> Answers {
                [$(($status.to_owned(), problem($text))),*].into()
            }
        }
    )*};
}

refusals! {
    /// What any route that wants a credential may answer.
    Refused = [
        ("401", "No credential, or one that is not accepted"),
        ("403", "Known, but not allowed"),
        ("429", "Too many requests; `Retry-After` says when"),
        ("503", "A dependency is down; `Retry-After` says when"),
    ];
    /// What any route that names one thing may answer.
    Missing = [("404", "No such thing")];
    /// What any route with parameters may answer.
    Mistaken = [("400", "Malformed request"), ("422", "Some fields are not valid; `errors` names them")];
    /// What any route with a body may answer.
    Unprocessable = [
        ("400", "Malformed body"),
        ("413", "The body is too large"),
        ("415", "Media type not accepted"),
        ("422", "Some fields are not valid; `errors` names them"),
    ];
    /// What any route that changes something may answer.
    Conflicting = [("409", "Conflict with the present state; `code` says which")];
}

fn problem(text: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name(ProblemBody::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RefOr::T(ResponseBuilder::new().description(text).content("application/problem+json", content).build())
}
