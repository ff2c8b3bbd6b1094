//! The life of a command as a generation: report while it runs, pass signals on, tell its end.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Remark;
use super::job::{Ending, Job, LEASE, NewJob, PATIENCE, Taken};
use crate::cli::client::Client;
use crate::cli::exit::CliError;
use crate::command::{Digest, Echo, Feed, Report, Running, exit_code};

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The generation's id.
    pub id: String,
    /// `completed`, `failed` or `cancelled`.
    pub status: &'static str,
    /// The command's exit code.
    pub exit_code: u8,
}

/// Reports are at least this far apart.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// A report without news that renews the lease.
const HEARTBEAT: Duration = Duration::from_secs(LEASE.as_secs() / 3);
/// How long the command may take to heed a signal before the next, harder one.
const GRACE: Duration = Duration::from_secs(10);
/// The exit code of shells for "no such command".
const NOT_FOUND: u8 = 127;

/// Runs the command as a generation.
///
/// # Errors
/// The server refused at the start; the command was not run then.
pub(crate) async fn work(
    client: &Client,
    new: NewJob,
    echo: Echo,
    say: impl Fn(Remark) + Send + Sync,
) -> Result<Outcome, CliError> {
    let command = new.command.clone();
    let job = Job::start(client, new).await?;
    say(Remark::Started { id: job.id.clone() });
    let feed = Feed::default();
    let started = prepare(&command, &job.id).and_then(|command| Running::start(command, &feed, echo));
    let mut running = match started {
        Ok(running) => running,
        Err(error) => {
            say(Remark::Words(format!("the command can't be started: {error}")));
            let ending = Ending::Failed(json!({ "code": "not-started", "message": error.to_string() }));
            finish(&job, ending, &say).await;
            return Ok(Outcome { id: job.id, status: "failed", exit_code: NOT_FOUND });
        }
    };
    let reporter = Reporter { job: &job, feed: &feed, done: CancellationToken::new(), cancel: Notify::new() };
    let (status, stopped) = {
        let reports = reporter.report_all(&say);
        let supervised = async {
            let ended = supervise(&mut running, &reporter, &say).await;
            // What was read after the last report belongs to the story too.
            reporter.done.cancel();
            ended
        };
        let ((), ended) = tokio::join!(reports, supervised);
        ended?
    };
    let code = exit_code(status);
    let last = feed.with(|digest| digest.message().map(str::to_owned));
    let (ending, word) = if status.success() {
        (Ending::Completed(json!({ "exit_code": 0, "message": last })), "completed")
    } else if stopped {
        (Ending::Cancelled, "cancelled")
    } else {
        let message = last.unwrap_or_else(|| format!("the command ended with exit code {code}"));
        (Ending::Failed(json!({ "code": "exit-code", "exit_code": code, "message": message })), "failed")
    };
    finish(&job, ending, &say).await;
    Ok(Outcome { id: job.id, status: word, exit_code: code })
}

fn prepare(command: &[String], generation: &str) -> std::io::Result<Command> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| std::io::Error::other("no command was given"))?;
    let mut prepared = Command::new(program);
    // The credential is ours, not the command's.
    prepared.args(arguments).env("TIDEGATE_GENERATION", generation).env_remove("TIDEGATE_KEY").stdin(stdin());
    Ok(prepared)
}

/// A terminal can't be read from a background group: the command would be stopped for trying.
fn stdin() -> Stdio {
    use std::io::IsTerminal as _;
    if std::io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() }
}

async fn finish(job: &Job, ending: Ending, say: &(impl Fn(Remark) + Sync)) {
    if let Err(error) = job.end(ending).await {
        say(Remark::Words(format!("the end could not be reported: {} ({})", error.detail, error.code)));
    }
}

/// Waits for the command and passes signals on. Also says whether it was stopped.
async fn supervise(
    running: &mut Running,
    reporter: &Reporter<'_>,
    say: &(impl Fn(Remark) + Sync),
) -> Result<(ExitStatus, bool), CliError> {
    let broken = |error| CliError::io("cannot wait for signals", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut stop = Stop::default();
    let cancel = async {
        tokio::select! {
            () = reporter.job.cancel_requested() => {}
            () = reporter.cancel.notified() => {}
        }
    };
    tokio::pin!(cancel);
    let mut watching = true;
    loop {
        tokio::select! {
            status = running.wait() => {
                let status = status.map_err(|error| CliError::io("lost track of the command", error))?;
                return Ok((status, stop.asked));
            }
            () = &mut cancel, if watching => {
                watching = false;
                say(Remark::Words("cancelled from elsewhere, stopping the command".to_owned()));
                stop.step(running);
            }
            _ = interrupt.recv() => {
                watching = false;
                let first = !stop.asked;
                stop.step(running);
                if first {
                    reporter.job.ask_cancel().await;
                }
            }
            _ = terminate.recv() => {
                watching = false;
                stop.hard_at = stop.hard_at.max(1);
                stop.step(running);
            }
            () = tokio::time::sleep(GRACE), if stop.asked => stop.step(running),
        }
    }
}

/// The signals so far: SIGINT, then SIGTERM, then SIGKILL.
#[derive(Debug, Default)]
struct Stop {
    asked: bool,
    hard_at: usize,
}

impl Stop {
    fn step(&mut self, running: &Running) {
        self.asked = true;
        let signal = match self.hard_at {
            0 => Signal::INT,
            1 => Signal::TERM,
            _ => Signal::KILL,
        };
        self.hard_at += 1;
        running.signal(signal);
    }
}

/// Tells the server what the command says, at a bounded rate.
struct Reporter<'a> {
    job: &'a Job,
    feed: &'a Feed,
    /// The command has ended: one last report.
    done: CancellationToken,
    /// A report's answer asked for a cancel.
    cancel: Notify,
}

impl Reporter<'_> {
    /// Reports until the command has ended, or the server has given the job up.
    async fn report_all(&self, say: &(impl Fn(Remark) + Sync)) {
        loop {
            let report = tokio::select! {
                () = self.feed.changed() => self.feed.with(Digest::take),
                () = self.done.cancelled() => match self.feed.with(Digest::take) {
                    Some(last) => Some(last),
                    None => return,
                },
                () = tokio::time::sleep(HEARTBEAT) => Some(self.feed.with(|digest| digest.repeat())),
            };
            let Some(report) = report else { continue };
            if !self.send(&report, say).await {
                return;
            }
            tokio::select! {
                () = self.done.cancelled() => {}
                () = tokio::time::sleep(REPORT_EVERY) => {}
            }
        }
    }

    /// Sends one report, again and again while the server is away. Whether there is a point in more.
    async fn send(&self, report: &Report, say: &(impl Fn(Remark) + Sync)) -> bool {
        let mut wait = Duration::from_millis(250);
        let mut waited = Duration::ZERO;
        loop {
            let error = match self.job.report(report).await {
                Ok(Taken::Fenced) => {
                    say(Remark::Words("the server gave this generation up; the command goes on".to_owned()));
                    return false;
                }
                Ok(taken) => {
                    if taken == Taken::CancelRequested {
                        self.cancel.notify_one();
                    }
                    if !waited.is_zero() {
                        say(Remark::Words("the server is back, reporting again".to_owned()));
                    }
                    return true;
                }
                Err(error) => error,
            };
            if !error.is_transient() {
                say(Remark::Words(format!("a report was refused: {} ({})", error.detail, error.code)));
                return true;
            }
            if waited.is_zero() {
                say(Remark::Words(format!("the server is away ({}); the command goes on", error.detail)));
            }
            if self.done.is_cancelled() && waited > PATIENCE {
                return false;
            }
            let pause = error.retry_after.unwrap_or(wait);
            tokio::time::sleep(pause).await;
            waited += pause;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    }
}
