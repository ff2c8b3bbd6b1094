//! `tidegate tail`: follow a generation or any stream in the terminal.

pub(crate) mod follow;
pub(crate) mod render;

use clap::Args;
use serde_json::{Value, json};

use self::follow::{Follower, Heard, Target};
use self::render::Screen;
use super::Context;
use super::client::{Call, Client};
use super::exit::{CliError, Exit};
use super::output::Output;

/// Follows a generation or a stream with a ticket of its own, across reconnects and restarts.
///
/// Ends when the stream ends; for a generation the exit code is 0 when it completed and 1 when it
/// failed or was cancelled.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate tail 0199a7c2-…              a generation, with a progress bar\n  tidegate tail public/news --from now  any stream, from now on\n  tidegate tail 0199a7c2-… --json | jq .data"
)]
pub(crate) struct TailArgs {
    /// The generation's id, or the stream's path.
    #[arg(value_name = "GENERATION|STREAM")]
    what: String,
    /// Where to start: `start`, `now` or an offset.
    #[arg(long, value_name = "POSITION")]
    from: Option<String>,
}

pub(super) async fn run(args: TailArgs, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    client.require_key()?;
    let target = Target::parse(&args.what);
    let from = args.from.map(|from| if from == "start" { "-1".to_owned() } else { from });
    watch(&client, context.output, target, from).await
}

/// Follows to the end, or to Ctrl-C; the exit code says how it ended.
pub(super) async fn watch(
    client: &Client,
    output: Output,
    target: Target,
    from: Option<String>,
) -> Result<Exit, CliError> {
    let mut follower = Follower::new(client.clone(), target.clone(), from);
    let mut screen = Screen::new(output);
    let mut status: Option<String> = None;
    loop {
        let heard = tokio::select! {
            heard = follower.next() => heard?,
            _ = tokio::signal::ctrl_c() => {
                screen.finish();
                return Ok(Exit::Command(130));
            }
        };
        if let Heard::Record { data, .. } = &heard
            && let Some(found) = record_status(data)
        {
            status = Some(found);
        }
        if let Heard::Ended { reason } = &heard {
            let reason = reason.clone();
            if status.is_none() && reason == "eof" {
                status = ask_status(client, &target).await;
            }
            screen.ended(&reason, status.as_deref());
            return Ok(exit_of(&reason, &target, status.as_deref()));
        }
        screen.show(&heard);
    }
}

fn record_status(data: &str) -> Option<String> {
    let value: Value = serde_json::from_str(data).ok()?;
    value.get("status")?.as_str().map(str::to_owned)
}

async fn ask_status(client: &Client, target: &Target) -> Option<String> {
    let path = match target {
        Target::Generation(id) => format!("/api/v1/generations/{id}"),
        Target::Document(id) => format!("/api/v1/documents/{id}"),
        Target::Stream(_) => return None,
    };
    let record = client.call(Call::read(&path)).await.ok()?;
    record.body.get("status")?.as_str().map(str::to_owned)
}

fn exit_of(reason: &str, target: &Target, status: Option<&str>) -> Exit {
    match (reason, target, status) {
        ("eof", Target::Stream(_), _)
        | ("eof", Target::Document(_), Some("ready"))
        | ("eof", Target::Generation(_), Some("completed")) => Exit::Ok,
        ("revoked", ..) => Exit::Auth,
        ("deleted", ..) => Exit::NotFound,
        _ => Exit::Failed,
    }
}

/// A record as `--json` prints it.
pub(crate) fn as_json(offset: &str, event: Option<&str>, data: &str) -> Value {
    let data = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()));
    json!({ "offset": offset, "event": event, "data": data })
}
