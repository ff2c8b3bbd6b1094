//! The command line: one file per verb.
//!
//! Owns: flags, what is printed, exit codes. Must not: hold logic that the server needs too.

mod ask;
mod bench;
mod brief;
mod client;
mod completions;
mod config;
mod demo;
mod dev;
mod doctor;
mod exit;
mod extract;
mod key;
mod openapi;
mod output;
mod profile;
mod publish;
mod run;
mod serve;
mod tail;
mod ticket;
mod upload;
mod user;
mod workshop;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::client::Client;
use self::exit::{CliError, Exit};
use self::output::Output;
use self::profile::Profile;
use crate::config::{DEV_FOLDER, Env, Hidden};

/// Live progress and AI output from a backend to the people who wait for it.
#[derive(Debug, Parser)]
#[command(
    name = "tidegate",
    version,
    before_help = "Example:\n  tidegate demo                              see it work, in one minute\n  tidegate dev                               a server for development, here\n  tidegate run --title Import -- ./import.sh any command with live progress",
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    verb: Verb,
}

/// Flags of every verb.
#[derive(Clone, Debug, clap::Args)]
struct Globals {
    /// The server to talk to [env TIDEGATE_URL; default http://127.0.0.1:8000].
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    url: Option<String>,
    /// API key or access token [env TIDEGATE_KEY; default: what `tidegate dev` left in .tidegate].
    #[arg(long, global = true, value_name = "KEY", help_heading = "Everywhere")]
    key: Option<String>,
    /// The server's data folder.
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Everywhere")]
    data: Option<PathBuf>,
    /// Results as JSON, one value a line.
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    /// No colours.
    #[arg(long, global = true, help_heading = "Everywhere")]
    no_color: bool,
    /// No remarks, only results.
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::ServeArgs),
    Dev(dev::DevArgs),
    Demo(demo::DemoArgs),
    Run(run::RunArgs),
    Tail(tail::TailArgs),
    Ask(ask::AskArgs),
    Brief(brief::BriefArgs),
    Publish(publish::PublishArgs),
    Upload(upload::UploadArgs),
    Ticket(ticket::TicketArgs),
    User(user::UserArgs),
    Key(key::KeyArgs),
    Config(config::ConfigArgs),
    Doctor(doctor::DoctorArgs),
    Openapi(openapi::OpenapiArgs),
    Completions(completions::CompletionsArgs),
    Bench(bench::BenchVerb),
    Extract(extract::ExtractArgs),
}

/// What every verb may use.
struct Context {
    output: Output,
    env: Env,
    globals: Globals,
    folder: Option<PathBuf>,
}

impl Context {
    /// The local profile of the data folder that was named, or of `.tidegate` here.
    fn profile(&self) -> Option<Profile> {
        match &self.globals.data {
            Some(data) => Profile::lookup(data),
            None => Profile::lookup(&self.folder.as_ref()?.join(DEV_FOLDER)),
        }
    }

    /// A client for the server that is meant.
    fn client(&self) -> Result<Client, CliError> {
        let variable = |name: &str| self.env.lookup(name).map(|(text, _)| text.to_owned());
        let profile = self.profile();
        let named = self.globals.url.clone().or_else(|| variable("TIDEGATE_URL"));
        // A local key is only ever sent to the server that it was made for.
        let local = profile.filter(|p| named.as_deref().is_none_or(|url| url.trim_end_matches('/') == p.url));
        let url = named.or_else(|| local.as_ref().map(|p| p.url.clone()));
        let url = url.unwrap_or_else(|| "http://127.0.0.1:8000".to_owned());
        let given = self.globals.key.clone().or_else(|| variable("TIDEGATE_KEY"));
        let key = given.map(Hidden::from).or_else(|| local.map(|p| p.key()));
        Client::new(&url, key)
    }

    fn overrides(&self) -> crate::config::Overrides {
        crate::config::Overrides {
            data: self.globals.data.clone(),
            folder: self.folder.clone(),
            ..crate::config::Overrides::default()
        }
    }
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a usage error (2).
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    if let Verb::Extract(args) = &cli.verb {
        return extract::run(args);
    }
    let output = Output { json: cli.globals.json, quiet: cli.globals.quiet };
    if cli.globals.no_color || std::env::var_os("NO_COLOR").is_some() {
        console::set_colors_enabled(false);
        console::set_colors_enabled_stderr(false);
    }
    let context =
        Context { output, env: Env::read(), globals: cli.globals, folder: std::env::current_dir().ok() };
    match dispatch(cli.verb, context) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.failure(&error);
            error.exit.into()
        }
    }
}

fn dispatch(verb: Verb, context: Context) -> Result<Exit, CliError> {
    // These need no runtime, or one of their own.
    match &verb {
        Verb::Config(args) => return config::run(args, &context),
        Verb::Openapi(args) => return openapi::run(args, &context),
        Verb::Completions(args) => return completions::run(args, Cli::command()),
        Verb::Bench(args) => return bench::run(args, &context),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("cannot start the runtime", error))?;
    let result = runtime.block_on(async {
        match verb {
            Verb::Serve(args) => on_a_worker(serve::run(args, context)).await,
            Verb::Dev(args) => dev::run(args, &context).await,
            Verb::Demo(args) => demo::run(args, &context).await,
            Verb::Run(args) => run::run(args, &context).await,
            Verb::Tail(args) => tail::run(args, &context).await,
            Verb::Ask(args) => ask::run(args, &context).await,
            Verb::Brief(args) => brief::run(args, &context).await,
            Verb::Publish(args) => publish::run(args, &context).await,
            Verb::Upload(args) => upload::run(args, &context).await,
            Verb::Ticket(args) => ticket::run(args, &context).await,
            Verb::User(args) => user::run(args, &context).await,
            Verb::Key(args) => key::run(args, &context).await,
            Verb::Doctor(args) => doctor::run(args, &context).await,
            Verb::Config(_) | Verb::Openapi(_) | Verb::Completions(_) | Verb::Bench(_) | Verb::Extract(_) => {
                Ok(Exit::Ok)
            }
        }
    });
    // A read of standard input may hang in a thread of its own; it must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    result
}

/// On one of the runtime's threads: the memory that a start gives back is used again by the connections that
/// are served there, while what the main thread gave back would lie beside them.
async fn on_a_worker(
    run: impl Future<Output = Result<Exit, CliError>> + Send + 'static,
) -> Result<Exit, CliError> {
    match tokio::spawn(run).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(ended) => ended,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(stopped)) => Err(CliError::io("the server was stopped", stopped)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_every_verb_opens_with_an_example() {
        for verb in Cli::command().get_subcommands() {
            let help = verb.clone().render_help().to_string();
            assert!(help.starts_with("Example"), "{}: {help}", verb.get_name());
        }
    }
}
