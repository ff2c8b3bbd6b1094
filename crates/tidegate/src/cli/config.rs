//! `tidegate config`: what the settings are, where they come from, what is wrong with them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Context;
use super::exit::{CliError, Exit};
use crate::config::{self, Loaded, Mode, Overrides};

/// Shows, checks or starts the configuration.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate config show                    every setting, its value and where it comes from\n  tidegate config check --config x.toml   what `serve` would refuse\n  tidegate config init > tidegate.toml    a commented file to start from"
)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    verb: ConfigVerb,
}

#[derive(Debug, Subcommand)]
enum ConfigVerb {
    /// Prints each value with its source; secrets are masked.
    Show(FileArgs),
    /// Says what `serve` would refuse; exit code 78 if anything.
    Check(FileArgs),
    /// Prints a commented sample with the defaults.
    Init,
}

#[derive(Args, Debug)]
struct FileArgs {
    /// The configuration file; default: tidegate.toml in the data folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address that `serve` would be told to listen on.
    #[arg(long, value_name = "ADDRESS")]
    addr: Option<String>,
}

pub(super) fn run(args: &ConfigArgs, context: &Context) -> Result<Exit, CliError> {
    match &args.verb {
        ConfigVerb::Show(file) => Ok(show(&load(file, context)?, context)),
        ConfigVerb::Check(file) => Ok(check(&load(file, context)?, context)),
        ConfigVerb::Init => {
            context.output.line(config::sample().trim_end());
            Ok(Exit::Ok)
        }
    }
}

fn load(args: &FileArgs, context: &Context) -> Result<Loaded, CliError> {
    let overrides = Overrides { config: args.config.clone(), addr: args.addr.clone(), ..context.overrides() };
    Ok(config::load(&overrides, &context.env, Mode::Serve)?)
}

fn show(loaded: &Loaded, context: &Context) -> Exit {
    let shown = config::show(loaded);
    for warning in &loaded.warnings {
        context.output.note(format!("warning: {warning}"));
    }
    if context.output.json {
        context.output.line(json!({
            "data": loaded.data, "file": loaded.file, "env_file": loaded.env_file, "settings": shown
        }));
        return Exit::Ok;
    }
    let path = |path: &Option<PathBuf>| {
        path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string())
    };
    context.output.line(format!("# data folder {}", loaded.data.display()));
    context.output.line(format!("# config file {}", path(&loaded.file)));
    context.output.line(format!("# .env {}", path(&loaded.env_file)));
    for line in shown {
        context.output.line(line);
    }
    Exit::Ok
}

fn check(loaded: &Loaded, context: &Context) -> Exit {
    let refusals = loaded.config.refusals(Mode::Serve, &loaded.data);
    if context.output.json {
        let list: Vec<_> =
            refusals.iter().map(|r| json!({ "setting": r.setting, "why": r.why, "cure": r.cure })).collect();
        context.output.line(json!({ "refusals": list }));
    } else {
        refusals.iter().for_each(|refusal| context.output.line(refusal));
    }
    if refusals.is_empty() {
        context.output.note("the configuration is good");
        return Exit::Ok;
    }
    Exit::Config
}
