//! The generation behind a command: created, claimed, reported, ended. Every call is repeated while
//! the server is away, so that a restart costs the job nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::client::{Answer, Call, CallError, Client};
use crate::cli::exit::CliError;
use crate::command::Report;

/// A generation that this process works on.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    client: Client,
    /// Its id.
    pub id: String,
    framework: String,
    lease: String,
}

/// What to create.
#[derive(Clone, Debug)]
pub(crate) struct NewJob {
    /// A client-made id.
    pub id: Option<String>,
    /// What people see.
    pub title: String,
    /// Its kind.
    pub framework: String,
    /// The command and its arguments.
    pub command: Vec<String>,
}

/// How the server takes a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Stored.
    Stored,
    /// Stored, and somebody wants the job to stop.
    CancelRequested,
    /// The server has given this job up or to somebody else.
    Fenced,
}

/// How a job ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// It worked.
    Completed(Value),
    /// It did not.
    Failed(Value),
    /// Somebody stopped it.
    Cancelled,
}

pub(super) const LEASE: Duration = Duration::from_secs(60);
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A longer command line is cut in the record: globs can expand to megabytes.
const COMMAND_BYTES_MAX: usize = 16_384;

impl Job {
    /// Creates the generation and claims it.
    ///
    /// # Errors
    /// The server refuses or can't be reached.
    pub(crate) async fn start(client: &Client, new: NewJob) -> Result<Self, CliError> {
        let words = new.command.join(" ");
        let whole = words.len() <= COMMAND_BYTES_MAX;
        let prompt = words.get(..words.floor_char_boundary(COMMAND_BYTES_MAX)).unwrap_or_default();
        let options = if whole { json!({ "command": new.command }) } else { json!({}) };
        let mut body =
            json!({ "title": new.title, "prompt": prompt, "framework": new.framework, "options": options });
        if let (Some(id), Some(object)) = (&new.id, body.as_object_mut()) {
            object.insert("id".to_owned(), json!(id));
        }
        let created = client.call(Call::post("/api/v1/generations").json(body)).await?;
        let id = text(&created.body, "id");
        let mut job = Self { client: client.clone(), id, framework: new.framework, lease: String::new() };
        job.claim().await?;
        Ok(job)
    }

    async fn claim(&mut self) -> Result<(), CliError> {
        let body = json!({
            "frameworks": [self.framework],
            "lease_seconds": LEASE.as_secs(),
            "wait": 2,
            "id": self.id,
            "worker": format!("run-{}", std::process::id()),
        });
        let claimed = self.client.call(Call::post("/api/v1/work/claim").json(body)).await?;
        if claimed.status == 204 {
            return Err(CliError::new(
                crate::cli::exit::Exit::Failed,
                format!("generation {} was claimed by another worker", self.id),
            )
            .hint("choose a framework that no other worker claims with --framework"));
        }
        self.lease = text(&claimed.body, "lease_token");
        Ok(())
    }

    /// Reports progress once.
    ///
    /// # Errors
    /// The server refuses or can't be reached.
    pub(crate) async fn report(&self, report: &Report) -> Result<Taken, CallError> {
        let mut body = json!({ "stage": "running" });
        if let Some(object) = body.as_object_mut() {
            if let Some(progress) = report.progress {
                object.insert("progress".to_owned(), json!(progress));
            }
            if let Some(message) = &report.message {
                object.insert("message".to_owned(), json!(message));
            }
            object.extend(report.extras());
        }
        match self.post("progress", body).await {
            Ok(answer) if answer.body.get("cancel_requested") == Some(&Value::Bool(true)) => {
                Ok(Taken::CancelRequested)
            }
            Ok(_) => Ok(Taken::Stored),
            Err(error) if matches!(error.status, Some(404 | 409 | 410)) => Ok(Taken::Fenced),
            Err(error) => Err(error),
        }
    }

    /// Waits until somebody asks for a cancel. Never returns otherwise.
    pub(crate) async fn cancel_requested(&self) {
        let path = format!("/api/v1/generations/{}?wait=25", self.id);
        let mut etag: Option<String> = None;
        loop {
            let mut call = Call::read(&path).timeout(Duration::from_secs(40));
            if let Some(etag) = &etag {
                call = call.header("if-none-match", etag.clone());
            }
            if let Ok(answer) = self.client.call(call).await {
                let status = text(&answer.body, "status");
                if status == "cancelling" || status == "cancelled" {
                    return;
                }
                etag = answer.etag.or(etag);
            }
            // Our own reports change the record too: this bounds the questions to two a second.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Asks the server for a cancel, as after Ctrl-C here.
    pub(crate) async fn ask_cancel(&self) {
        let path = format!("/api/v1/generations/{}/cancel", self.id);
        // If it fails, the end of the job tells the story all the same.
        let _ = self.client.call(Call::post(&path).timeout(Duration::from_secs(5))).await;
    }

    /// Ends the job; repeated for two minutes while the server is away.
    ///
    /// # Errors
    /// The server refuses, or stays away.
    pub(crate) async fn end(&self, ending: Ending) -> Result<(), CallError> {
        let (route, body) = match ending {
            Ending::Completed(result) => ("complete", json!({ "result": result })),
            Ending::Failed(error) => ("fail", json!({ "error": error, "retryable": false })),
            Ending::Cancelled => ("progress", json!({ "stage": "cancelled", "status": "cancelled" })),
        };
        let mut waited = Duration::ZERO;
        let mut wait = Duration::from_millis(250);
        loop {
            match self.post(route, body.clone()).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_transient() && waited < PATIENCE => {
                    tokio::time::sleep(error.retry_after.unwrap_or(wait)).await;
                    waited += wait;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn post(&self, route: &str, body: Value) -> Result<Answer, CallError> {
        let path = format!("/api/v1/generations/{}/{route}", self.id);
        let call = Call::post(&path)
            .json(body)
            .header("tidegate-lease", self.lease.clone())
            .timeout(Duration::from_secs(10));
        self.client.call(call).await
    }
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
