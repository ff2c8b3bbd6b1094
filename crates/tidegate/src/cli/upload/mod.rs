//! `tidegate upload`: files become documents.

mod send;
mod watch;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::Context;
use super::client::Client;
use super::exit::{CliError, Exit};

/// Uploads files (txt, md, html, pdf, docx) and prints their ids.
///
/// With --wait it follows their processing and ends when all of them can be searched; the exit code
/// is 1 when one of them can't be processed.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate upload report.pdf --wait\n  tidegate upload docs/*.md --json | jq -r .id"
)]
pub(crate) struct UploadArgs {
    /// The files.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Wait until they are processed.
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(args: UploadArgs, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    client.require_key()?;
    let mut exit = Exit::Ok;
    for file in &args.files {
        let ended = tokio::select! {
            ended = one(&client, file, args.wait, context) => ended,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Command(130)),
        };
        match ended {
            Ok(document) if status(&document) == "failed" => exit = Exit::Failed,
            Ok(_) => {}
            // The others may still be fine.
            Err(error) if args.files.len() > 1 && error.exit == Exit::Failed => {
                context.output.note(format!("{}: {error}", file.display()));
                exit = Exit::Failed;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(exit)
}

/// Uploads one file and prints its record.
async fn one(client: &Client, file: &Path, wait: bool, context: &Context) -> Result<Value, CliError> {
    let mut document = send::send(client, file, context.output).await?;
    if wait {
        document = watch::until_ready(client, document, context.output).await?;
    }
    context.output.result(&document, || line(&document));
    Ok(document)
}

fn line(document: &Value) -> String {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| document.get(name).and_then(Value::as_u64);
    let mut words = format!("{}  {}  {}", text("id"), text("filename"), text("status"));
    if let Some(pages) = number("pages") {
        words.push_str(&format!(", {pages} pages"));
    }
    if let Some(passages) = number("passages").filter(|passages| *passages > 0) {
        words.push_str(&format!(", {passages} passages"));
    }
    let error = document.get("error").and_then(|error| error.get("message")).and_then(Value::as_str);
    error.map_or(words.clone(), |error| format!("{words}: {error}"))
}

fn status(document: &Value) -> &str {
    document.get("status").and_then(Value::as_str).unwrap_or_default()
}
