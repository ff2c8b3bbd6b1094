//! `tidegate completions`: completion scripts for shells.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::{CliError, Exit};

/// Prints a completion script for your shell.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate completions bash > ~/.local/share/bash-completion/completions/tidegate\n  tidegate completions fish > ~/.config/fish/completions/tidegate.fish"
)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "tidegate", &mut script);
    use std::io::Write as _;
    std::io::stdout().write_all(&script).map_err(|error| CliError::io("cannot write the script", error))?;
    Ok(Exit::Ok)
}
