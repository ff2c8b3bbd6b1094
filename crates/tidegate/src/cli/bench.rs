//! `tidegate bench`: measure a server.

use clap::Args;

use super::Context;
use super::exit::{CliError, Exit};
use crate::bench::BenchArgs;

/// Measures a server: throughput, latency, CPU and memory, with every delivery checked.
///
/// Without --target it starts a server of its own in a temporary folder.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate bench publish --writers 64\n  tidegate bench all --json > bench.jsonl"
)]
pub(crate) struct BenchVerb {
    #[command(flatten)]
    args: BenchArgs,
}

pub(super) fn run(verb: &BenchVerb, context: &Context) -> Result<Exit, CliError> {
    let mut args = verb.args.clone();
    args.json = context.output.json;
    args.key = context
        .globals
        .key
        .clone()
        .or_else(|| context.env.lookup("TIDEGATE_KEY").map(|(text, _)| text.to_owned()));
    match crate::bench::run(&args) {
        Ok(()) => Ok(Exit::Ok),
        Err(error) => Err(CliError::new(Exit::Failed, format!("{error:#}"))),
    }
}
