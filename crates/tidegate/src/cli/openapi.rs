//! `tidegate openapi`: the API's description, as the server serves it.

use clap::Args;

use super::Context;
use super::exit::{CliError, Exit};

/// Prints the OpenAPI 3.1 document of this version, the same that a server serves.
#[derive(Args, Debug)]
#[command(before_help = "Example:\n  tidegate openapi > openapi.json")]
pub(crate) struct OpenapiArgs {}

pub(super) fn run(_: &OpenapiArgs, context: &Context) -> Result<Exit, CliError> {
    let document = tidegate_http::openapi()
        .to_pretty_json()
        .map_err(|error| CliError::io("cannot print the document", error))?;
    context.output.line(document);
    Ok(Exit::Ok)
}
