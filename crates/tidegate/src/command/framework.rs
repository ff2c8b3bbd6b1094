//! The built-in framework `command`: runs what the operator's allow-list names.
//!
//! Options: `{"command": "report", "arguments": {"year": 2026}}`. The prompt is standard input. The
//! result is `{exit_code, message}`, as with `tidegate run`.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tidegate_generations::{Failure, Framework, Invalid, Job, Origin, Rejected};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fill::fill;
use super::{Digest, Echo, Feed, Running, exit_code};
use crate::config::AllowedCommand;

const NAME: &str = "command";
const STAGE: &str = "running";
/// Reports are at least this far apart.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// Between the polite signal and the one that can't be refused.
const GRACE: Duration = Duration::from_millis(1_500);

/// Runs allowed commands.
#[derive(Debug)]
pub(crate) struct CommandFramework {
    allowed: Vec<AllowedCommand>,
}

/// Why a command is stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Asked,
    TimeOut,
}

impl CommandFramework {
    pub(crate) fn new(allowed: Vec<AllowedCommand>) -> Self {
        Self { allowed }
    }

    fn find(&self, options: &Map<String, Value>) -> Result<(&AllowedCommand, Vec<String>), Invalid> {
        let pointer = "/options/command";
        let name = options.get("command").and_then(Value::as_str);
        let name =
            name.ok_or_else(|| Invalid::new(pointer, "is missing: name one that the server allows"))?;
        let allowed = self.allowed.iter().find(|command| command.name == name);
        let allowed = allowed.ok_or_else(|| Invalid::new(pointer, "is not one that the server allows"))?;
        let none = Map::new();
        let values = match options.get("arguments") {
            None | Some(Value::Null) => &none,
            Some(Value::Object(values)) => values,
            Some(_) => return Err(Invalid::new("/options/arguments", "is not an object")),
        };
        Ok((allowed, fill(&allowed.run, values)?))
    }
}

#[async_trait]
impl Framework for CommandFramework {
    fn name(&self) -> &str {
        NAME
    }

    async fn check(&self, wish: &Origin) -> Result<(), Rejected> {
        self.find(&wish.options)?;
        Ok(())
    }

    async fn run(&self, job: Job) -> Result<Value, Failure> {
        let found = self.find(job.options());
        let (allowed, arguments) = found.map_err(|e| Failure::new("command-not-allowed", e.to_string()))?;
        let started = |error: std::io::Error| {
            Failure::new("not-started", format!("The command can't be started: {error}"))
        };
        let feed = Feed::default();
        let (command, folder) = prepare(allowed, &arguments, &job).map_err(started)?;
        let mut running = Running::start(command, &feed, Echo::Silent).map_err(started)?;
        let input = running.take_stdin();
        let prompt = job.prompt().to_owned();
        let feeding = async move {
            if let Some(mut input) = input {
                // A command that reads nothing closes its end early.
                let _ = input.write_all(prompt.as_bytes()).await;
            }
            std::future::pending::<()>().await;
        };
        let deadline = Instant::now() + allowed.timeout.as_duration();
        let (status, cut) = tokio::select! {
            ended = attend(&mut running, &job, &feed, deadline) => ended?,
            () = feeding => return Err(Failure::Stopped),
        };
        // What a command leaves behind may be much.
        drop(tokio::task::spawn_blocking(move || drop(folder)));
        outcome(status, cut, &feed)
    }
}

/// The command as it is started: no shell, no variables but the listed ones.
fn prepare(
    allowed: &AllowedCommand,
    arguments: &[String],
    job: &Job,
) -> std::io::Result<(Command, Option<TempDir>)> {
    let (program, arguments) =
        arguments.split_first().ok_or_else(|| std::io::Error::other("nothing to run"))?;
    let own = if allowed.folder.is_none() { Some(tempfile::tempdir()?) } else { None };
    let folder = own.as_ref().map(TempDir::path).or(allowed.folder.as_deref());
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("TIDEGATE_GENERATION", job.id().as_str()).stdin(Stdio::piped());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    for name in &allowed.variables {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Ok((command, own))
}

/// Reports while the command runs, and stops it when it has to end. A report that is under way is
/// never dropped: its lines would be lost.
async fn attend(
    running: &mut Running,
    job: &Job,
    feed: &Feed,
    deadline: Instant,
) -> Result<(ExitStatus, Option<Cut>), Failure> {
    let (ended, refused) = (CancellationToken::new(), CancellationToken::new());
    let reports = async {
        let reported = report_all(job, feed, &ended).await;
        if reported.is_err() {
            refused.cancel();
        }
        reported
    };
    let supervised = async {
        let outcome = supervise(running, job, deadline, &refused).await;
        ended.cancel();
        outcome
    };
    let (reported, outcome) = tokio::join!(reports, supervised);
    match reported {
        // The command was stopped for it.
        Err(Failure::Stopped) | Ok(()) => outcome.map_err(lost),
        Err(failure) => Err(failure),
    }
}

/// Waits for the end of the command, and brings it about when it has to end.
async fn supervise(
    running: &mut Running,
    job: &Job,
    deadline: Instant,
    refused: &CancellationToken,
) -> std::io::Result<(ExitStatus, Option<Cut>)> {
    let cut = tokio::select! {
        status = running.wait() => return Ok((status?, None)),
        () = job.cancelled() => Cut::Asked,
        () = refused.cancelled() => Cut::Asked,
        () = tokio::time::sleep_until(deadline) => Cut::TimeOut,
    };
    running.signal(Signal::TERM);
    if let Ok(status) = tokio::time::timeout(GRACE, running.wait()).await {
        return Ok((status?, Some(cut)));
    }
    running.signal(Signal::KILL);
    Ok((running.wait().await?, Some(cut)))
}

/// Reports what is new at a bounded rate, to the last line.
async fn report_all(job: &Job, feed: &Feed, ended: &CancellationToken) -> Result<(), Failure> {
    loop {
        let is_last = tokio::select! {
            () = feed.changed() => false,
            () = ended.cancelled() => true,
        };
        if let Some(report) = feed.with(Digest::take) {
            let (progress, extras) = (report.progress.unwrap_or(0.0), report.extras());
            job.report(STAGE, progress, report.message, extras).await?;
        }
        if is_last {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(REPORT_EVERY) => {}
            () = ended.cancelled() => {}
        }
    }
}

fn outcome(status: ExitStatus, cut: Option<Cut>, feed: &Feed) -> Result<Value, Failure> {
    let message = feed.with(|digest| digest.message().map(str::to_owned));
    let code = exit_code(status);
    match cut {
        Some(Cut::Asked) => Err(Failure::Stopped),
        Some(Cut::TimeOut) => Err(Failure::new("timeout", "The command took longer than it may")),
        None if status.success() => Ok(json!({ "exit_code": 0, "message": message })),
        None => {
            let message = message.unwrap_or_else(|| format!("The command ended with exit code {code}"));
            Err(Failure::new("exit-code", message).with("exit_code", code))
        }
    }
}

fn lost(error: std::io::Error) -> Failure {
    Failure::for_now("command-lost", format!("The command was lost track of: {error}"))
}
