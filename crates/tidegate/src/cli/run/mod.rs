//! `tidegate run`: any command as a generation.

mod job;
mod work;

use clap::Args;
use serde_json::json;

pub(crate) use self::job::NewJob;
pub(crate) use self::work::work;

use super::Context;
use super::exit::{CliError, Exit};
use super::output::Output;
use crate::command::Echo;

/// Runs a command as a generation: its output becomes live progress, its exit status the end.
///
/// Percentages (`42%`) and counts (`3/10`) become progress, the line the message. Ctrl-C and a
/// cancel from elsewhere reach the command. The exit code is the command's. The command line is
/// stored as the prompt: keep secrets out of it.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate run --title \"Nightly import\" -- ./import.sh --all\n  tidegate tail <the id it prints>      watch it from anywhere"
)]
pub(crate) struct RunArgs {
    /// What people see; default: the command's name.
    #[arg(long)]
    title: Option<String>,
    /// An id of your own, 1 to 64 of A-Z a-z 0-9 _ -.
    #[arg(long)]
    id: Option<String>,
    /// The kind of the generation; one of `generations.external` of the server.
    #[arg(long, default_value = "external")]
    framework: String,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) async fn run(args: RunArgs, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    client.require_key()?;
    let title = args.title.unwrap_or_else(|| name_of(&args.command));
    let new = NewJob { id: args.id, title, framework: args.framework, command: args.command };
    let echo = if context.output.json { Echo::Stderr } else { Echo::Through };
    let output = context.output;
    let outcome = work(&client, new, echo, |remark| tell(output, &remark)).await?;
    if output.json {
        output.line(
            json!({ "generation_id": outcome.id, "status": outcome.status, "exit_code": outcome.exit_code }),
        );
    }
    Ok(Exit::Command(outcome.exit_code))
}

/// What `work` has to say on the way.
#[derive(Clone, Debug)]
pub(crate) enum Remark {
    /// The generation exists and is claimed.
    Started {
        /// Its id.
        id: String,
    },
    /// Anything else.
    Words(String),
}

fn tell(output: Output, remark: &Remark) {
    match remark {
        Remark::Started { id } if output.json => output.line(json!({ "generation_id": id })),
        Remark::Started { id } => {
            output.note(format!("tidegate: generation {id}  (watch: tidegate tail {id})"))
        }
        Remark::Words(words) => output.note(format!("tidegate: {words}")),
    }
}

fn name_of(command: &[String]) -> String {
    let program = command.first().map_or("command", String::as_str);
    program.rsplit('/').next().unwrap_or(program).to_owned()
}
