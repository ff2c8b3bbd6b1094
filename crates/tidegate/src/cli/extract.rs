//! `tidegate extract`: the child of the server that reads one uploaded file. Not for people.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tidegate_documents::{Bounds, MediaType, run_child};

/// Reads a document on standard input and says what it holds; called by the server.
#[derive(Debug, Args)]
#[command(hide = true, before_help = "Example:\n  called by the server, one process for each uploaded file")]
pub(super) struct ExtractArgs {
    /// What the file is.
    media_type: String,
    #[arg(long)]
    file_bytes: u64,
    #[arg(long)]
    text_bytes: u64,
    #[arg(long)]
    pages: u64,
    #[arg(long)]
    passages: u64,
    #[arg(long)]
    memory_bytes: u64,
    #[arg(long)]
    cpu_seconds: u64,
}

/// Runs it. Nothing else of this program has begun: no runtime, no settings, no log.
pub(super) fn run(args: &ExtractArgs) -> ExitCode {
    let Ok(media_type) = args.media_type.parse::<MediaType>() else { return ExitCode::from(2) };
    let bounds = Bounds {
        file_bytes: args.file_bytes,
        text_bytes: args.text_bytes,
        pages: args.pages,
        passages: args.passages,
        memory_bytes: args.memory_bytes,
        cpu_seconds: args.cpu_seconds,
        // The parent keeps it.
        wall: Duration::MAX,
    };
    match run_child(media_type, &bounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
