//! The life of a command as a generation: report while it runs, pass signals on, tell its end.

use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::Remark;
use super::child::{Echo, Feed, Running, exit_code};
use super::job::{Ending, Job, LEASE, NewJob, Taken};
use crate::cli::client::Client;
use crate::cli::exit::CliError;

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
    let mut running = match Running::start(&command, &job.id, &feed, echo) {
        Ok(running) => running,
        Err(error) => {
            say(Remark::Words(format!("the command can't be started: {error}")));
            let ending = Ending::Failed(json!({ "code": "not-started", "message": error.to_string() }));
            finish(&job, ending, &say).await;
            return Ok(Outcome { id: job.id, status: "failed", exit_code: NOT_FOUND });
        }
    };
    let (status, stopped) = supervise(&mut running, &job, &feed, &say).await?;
    let code = exit_code(status);
    let last = feed.with(|digest| digest.message().map(str::to_owned));
    // What was read after the last report belongs to the story too.
    if let Some(report) = feed.with(super::lines::Digest::take) {
        let _ = job.report(&report).await;
    }
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

async fn finish(job: &Job, ending: Ending, say: &(impl Fn(Remark) + Sync)) {
    if let Err(error) = job.end(ending).await {
        say(Remark::Words(format!("the end could not be reported: {} ({})", error.detail, error.code)));
    }
}

/// Waits for the command while reporting and passing signals on. Also says whether it was stopped.
async fn supervise(
    running: &mut Running,
    job: &Job,
    feed: &Feed,
    say: &(impl Fn(Remark) + Sync),
) -> Result<(ExitStatus, bool), CliError> {
    let broken = |error| CliError::io("cannot wait for signals", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut stop = Stop::default();
    let reports = report_all(job, feed, say);
    tokio::pin!(reports);
    let cancel = job.cancel_requested();
    tokio::pin!(cancel);
    let mut watching = true;
    let mut reporting = true;
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
            end = &mut reports, if reporting => {
                reporting = false;
                if end == Taken::CancelRequested && watching {
                    watching = false;
                    say(Remark::Words("cancelled from elsewhere, stopping the command".to_owned()));
                    stop.step(running);
                } else if end == Taken::Fenced {
                    watching = false;
                    say(Remark::Words("the server gave this generation up; the command goes on".to_owned()));
                }
            }
            _ = interrupt.recv() => {
                watching = false;
                let first = !stop.asked;
                stop.step(running);
                if first {
                    job.ask_cancel().await;
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

/// Reports until the server says that there is no point any more.
async fn report_all(job: &Job, feed: &Feed, say: &(impl Fn(Remark) + Sync)) -> Taken {
    let mut away = false;
    loop {
        let news = tokio::time::timeout(HEARTBEAT, feed.changed()).await;
        let report = match news {
            Ok(()) => feed.with(super::lines::Digest::take),
            Err(_) => Some(feed.with(|digest| digest.repeat())),
        };
        let Some(report) = report else { continue };
        let mut wait = Duration::from_millis(250);
        loop {
            match job.report(&report).await {
                Ok(Taken::Stored) => break,
                Ok(end) => return end,
                Err(error) if error.is_transient() => {
                    if !std::mem::replace(&mut away, true) {
                        say(Remark::Words(format!(
                            "the server is away ({}); the command goes on",
                            error.detail
                        )));
                    }
                    tokio::time::sleep(error.retry_after.unwrap_or(wait)).await;
                    wait = (wait * 2).min(Duration::from_secs(2));
                }
                Err(error) => {
                    say(Remark::Words(format!("a report was refused: {} ({})", error.detail, error.code)));
                    break;
                }
            }
        }
        if std::mem::take(&mut away) {
            say(Remark::Words("the server is back, reporting again".to_owned()));
        }
        tokio::time::sleep(REPORT_EVERY).await;
    }
}
