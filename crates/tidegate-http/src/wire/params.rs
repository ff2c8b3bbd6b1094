//! How the OpenAPI document names parameters that many routes share.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, openapi::Required};

/// `limit` and `cursor` of a list; `extract::PageArgs` reads them.
pub(crate) enum PageParams {}

impl IntoParams for PageParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            query("limit", Type::Integer, "Items wanted, 1 to 200; 50 by default"),
            query("cursor", Type::String, "`next_cursor` of the page before"),
        ]
    }
}

/// Where a stream starts and by what it is opened; `tail` and `credential` read them.
pub(crate) enum StreamParams {}

impl IntoParams for StreamParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            query("token", Type::String, "A ticket; `ticket` and `sse_token` mean the same"),
            query("after", Type::String, "`-1` (the beginning), `now` or an offset"),
            query("last_event_id", Type::String, "The last id seen, without its tag"),
        ]
    }
}

fn query(name: &str, kind: Type, text: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .build()
}
