//! `tidegate ticket`: mint a ticket by hand.

use clap::Args;
use serde_json::json;

use super::Context;
use super::client::Call;
use super::exit::{CliError, Exit};
use super::tail::follow::Target;

/// Mints a ticket for a stream and prints a curl line that opens it. It works once, for 60 seconds.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate ticket 0199a7c2-…                a generation\n  tidegate ticket public/news --curl | sh   open it right away"
)]
pub(crate) struct TicketArgs {
    /// The generation's id, or the stream's path.
    #[arg(value_name = "GENERATION|STREAM")]
    what: String,
    /// Print only the curl line.
    #[arg(long)]
    curl: bool,
}

pub(super) async fn run(args: TicketArgs, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    client.require_key()?;
    let target = Target::parse(&args.what);
    let minted = client.call(Call::post(&target.mint_path())).await?.body;
    let text = |name: &str| minted.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let (ticket, path) = (text("sse_token"), target.open_path(None));
    let mark = if path.contains('?') { '&' } else { '?' };
    let url = format!("{}{path}{mark}ticket={ticket}", client.base());
    let curl = format!("curl -N '{url}'");
    if args.curl {
        context.output.line(&curl);
        return Ok(Exit::Ok);
    }
    let value = json!({ "ticket": ticket, "expires_in": minted.get("expires_in"), "url": url });
    context.output.result(&value, || format!("{ticket}\n{curl}"));
    Ok(Exit::Ok)
}
