//! `tidegate demo`: the whole path for real, in one terminal.

use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::Context;
use super::client::Client;
use super::dev::Dev;
use super::exit::{CliError, Exit};
use super::output::Output;
use super::run::{NewJob, Remark, work};
use super::tail::follow::{Follower, Heard, Opening, Target};
use crate::command::Echo;
use crate::config::Overrides;
use crate::server;

/// Starts a server on an empty folder, runs a real command as a generation, shows it live through a
/// ticket, cuts the connection half-way and resumes. Then keeps serving.
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  tidegate demo\n  tidegate demo --speed 4 --exit         quick, and stops when it is done"
)]
pub(crate) struct DemoArgs {
    /// The port on loopback; default: 8000, or any free one.
    #[arg(long)]
    port: Option<u16>,
    /// How many times faster than usual.
    #[arg(long, default_value = "1", value_parser = parse_speed)]
    speed: f64,
    /// Begin with an empty folder.
    #[arg(long)]
    reset: bool,
    /// Stop when the demo is over; exit code 0 if all of it worked.
    #[arg(long)]
    exit: bool,
}

/// `4` or `4x`.
fn parse_speed(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim_end_matches('x').parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=100.0).contains(&number) { Ok(number) } else { Err("use 0.1 to 100".to_owned()) }
}

const STEPS: usize = 20;
const STEP_SECONDS: f64 = 0.5;
const FOLDER: &str = "demo";

pub(super) async fn run(args: DemoArgs, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let data = demo_folder(context)?;
    if args.reset && data.exists() {
        std::fs::remove_dir_all(&data)
            .map_err(|error| CliError::io("cannot empty the demo's folder", error))?;
    }
    let overrides =
        Overrides { data: Some(data), port: args.port, log_level: Some("warn"), ..context.overrides() };
    let shutdown =
        server::shutdown_token().map_err(|error| CliError::io("cannot listen for signals", error))?;
    let dev = Dev::open(&overrides, context, args.port.is_none()).await?;
    output.note(&dev.banner);
    let client = Client::new(&dev.profile.url, Some(dev.profile.key()))?;
    let serving = tokio::spawn(dev.server.serve(dev.listener, shutdown.clone()));
    let shown = tokio::select! {
        shown = show(&client, args.speed, output) => shown,
        () = shutdown.cancelled() => Ok(()),
    };
    if let Err(error) = &shown
        && !args.exit
    {
        output.failure(error);
    }
    if !args.exit && !shutdown.is_cancelled() {
        output.note(format!("\nStill serving {}. Ctrl-C stops it.", client.base()));
    }
    finish(args.exit, shown, serving, &shutdown).await
}

async fn finish(
    exit: bool,
    shown: Result<(), CliError>,
    serving: tokio::task::JoinHandle<Result<(), server::ServeError>>,
    shutdown: &CancellationToken,
) -> Result<Exit, CliError> {
    if exit {
        shutdown.cancel();
    }
    let served = serving.await.map_err(|error| CliError::io("the server stopped", error))?;
    served.map_err(|error| CliError::io("the server stopped", error))?;
    if exit {
        shown?;
    }
    Ok(Exit::Ok)
}

/// A folder of its own beside the one of `dev`, so that a demo never touches real work.
fn demo_folder(context: &Context) -> Result<PathBuf, CliError> {
    if let Some(data) = &context.globals.data {
        return Ok(data.join(FOLDER));
    }
    let folder = context.folder.as_ref();
    let here = folder.ok_or_else(|| CliError::new(Exit::Failed, "there is no working folder"))?;
    Ok(here.join(crate::config::DEV_FOLDER).join(FOLDER))
}

/// The command: a small loop of the shell, as slow as a real job would be.
fn command(speed: f64) -> Vec<String> {
    let pause = STEP_SECONDS / speed;
    let script = format!(
        "i=1; while [ $i -le {STEPS} ]; do echo \"[$i/{STEPS}] rendering frame $i\"; sleep {pause:.3}; i=$((i+1)); done"
    );
    ["sh", "-c", &script].map(str::to_owned).to_vec()
}

/// Runs the job and follows it as a browser would. Checks what it claims.
async fn show(client: &Client, speed: f64, output: Output) -> Result<(), CliError> {
    let (started, id) = tokio::sync::oneshot::channel();
    let started = std::sync::Mutex::new(Some(started));
    let new = NewJob {
        id: None,
        title: "Demo: twenty frames".to_owned(),
        framework: "external".to_owned(),
        command: command(speed),
    };
    let say = |remark: Remark| match remark {
        Remark::Started { id } => {
            let sender = started.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(sender) = sender {
                // The reader may have given up already.
                let _ = sender.send(id);
            }
        }
        Remark::Words(words) => output.note(format!("  {words}")),
    };
    output.note(
        "1. A real command starts as a generation: its record and its stream exist before anybody asks.",
    );
    let job = work(client, new, Echo::Silent, say);
    let watch = async {
        let id = id.await.map_err(|_| CliError::new(Exit::Failed, "the generation did not start"))?;
        watch(client, &id, output).await
    };
    tokio::pin!(job);
    tokio::pin!(watch);
    // A job that can't start would leave the watcher waiting for ever.
    let (outcome, seen) = tokio::select! {
        outcome = &mut job => (outcome?, watch.await?),
        seen = &mut watch => (job.await?, seen?),
    };
    verdict(&outcome.id, outcome.exit_code, &seen, output)
}

/// What the reader saw: every offset in its order, and how often it had to come back.
struct Seen {
    offsets: Vec<String>,
    resumed: usize,
    /// How a stranger with the ticket was answered.
    stranger: u16,
    status: String,
}

async fn watch(client: &Client, id: &str, output: Output) -> Result<Seen, CliError> {
    output.note(format!("   generation {id}"));
    output.note("2. A reader mints a ticket (60 s, single use) and opens the stream with it.");
    let mut follower = Follower::new(client.clone(), Target::Generation(id.to_owned()), None);
    let mut seen = Seen { offsets: Vec::new(), resumed: 0, stranger: 0, status: String::new() };
    let mut cut = false;
    loop {
        match follower.next().await? {
            Heard::Opened(Opening::Resumed) => {
                seen.resumed += 1;
                output.note("   resumed with the same ticket and its rotating tag, from where it stopped");
                seen.stranger = follower.try_as_stranger().await?;
                output.note(format!(
                    "   the same ticket without the tag, as a stranger would send it: {}",
                    seen.stranger
                ));
            }
            Heard::Opened(_) | Heard::Gap(_) | Heard::Lost { .. } => {}
            Heard::Ended { .. } => return Ok(seen),
            Heard::Record { offset, data, .. } => {
                let value: serde_json::Value = serde_json::from_str(&data).unwrap_or_default();
                let text = |name: &str| value.get(name).and_then(|v| v.as_str()).unwrap_or_default();
                let progress = value.get("progress").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
                output.note(format!(
                    "   #{:<4} {:>3.0}%  {}",
                    short(&offset),
                    progress * 100.0,
                    text("message")
                ));
                seen.offsets.push(offset);
                seen.status = text("status").to_owned();
                if progress >= 0.5 && !cut {
                    cut = true;
                    output.note("3. Half-way: the connection is cut on purpose. The job does not notice.");
                    follower.cut();
                }
            }
        }
    }
}

fn short(offset: &str) -> &str {
    offset.trim_start_matches('0')
}

/// Says what was shown, or what was not.
fn verdict(id: &str, exit_code: u8, seen: &Seen, output: Output) -> Result<(), CliError> {
    let numbers: Vec<u64> = seen.offsets.iter().filter_map(|offset| offset.parse().ok()).collect();
    let gap_free = numbers.iter().zip(1..).all(|(number, expected)| *number == expected);
    let complete = seen.status == "completed" && exit_code == 0;
    if !gap_free || !complete || seen.resumed == 0 || seen.stranger != 401 || numbers.is_empty() {
        return Err(CliError::new(
            Exit::Failed,
            format!(
                "the demo did not go as planned: {} records, without gaps: {gap_free}, resumed {} times, a stranger got {}, status {}",
                numbers.len(),
                seen.resumed,
                seen.stranger,
                seen.status
            ),
        ));
    }
    let count = numbers.len();
    output.note("4. What this proves:");
    output.note(format!("   · {count} events, offsets 1 to {count}: none lost, none twice, across the cut"));
    output.note("   · the ticket was spent at the first open; the reconnect was let in by its tag, a stranger was refused");
    output.note("   · the command's exit status ended the job, and the stream with it");
    if output.json {
        output.line(serde_json::json!({ "generation_id": id, "events": count, "resumed": seen.resumed, "status": seen.status }));
    }
    Ok(())
}
