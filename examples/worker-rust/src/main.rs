//! A Tidegate worker in Rust. It knows nothing of Tidegate but its HTTP API.
//!
//! ```sh
//! export TIDEGATE_URL=http://127.0.0.1:8000
//! export TIDEGATE_KEY=$(tidegate key create --name worker --scope generations:work --json | jq -r .secret)
//! cargo run -p example-worker
//! ```
//!
//! It claims generations of `WORKER_FRAMEWORKS` (default `external`), works through `options.steps`
//! steps of `options.step_seconds`, and returns the words of the prompt, counted. What to copy is all
//! the rest: the lease, the cancel, and a server that goes away in the middle.

#![expect(clippy::print_stderr, reason = "a worker talks to the person who started it")]

mod client;

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

/// How the work ended.
enum Ending {
    Result(Value),
    /// Its owner wants it to stop.
    Cancelled,
    /// Somebody else has it, or it is gone: nothing is to be told any more.
    Lost,
}

/// A claimed generation.
struct Job {
    id: String,
    prompt: String,
    steps: u64,
    step: Duration,
    lease: String,
    /// A word is due at least this often.
    renew: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("TIDEGATE_URL").unwrap_or_else(|_| "http://127.0.0.1:8000".to_owned());
    let key = std::env::var("TIDEGATE_KEY").context("set TIDEGATE_KEY to a key with generations:work")?;
    let names = std::env::var("WORKER_FRAMEWORKS").unwrap_or_else(|_| "external".to_owned());
    let frameworks: Vec<&str> = names.split(',').collect();
    let client = Client::new(url, key)?;
    let wish = json!({ "frameworks": frameworks, "lease_seconds": 30, "wait": 30, "worker": "rust" });
    eprintln!("worker: waiting for {names}");
    loop {
        // 204: nothing came in half a minute.
        let claimed = client.post_until_answered("/api/v1/work/claim", &wish, None).await;
        match claimed {
            Answer::Ok(claim) if claim.is_object() => {
                let job = Job::of(&claim, Duration::from_secs(30))?;
                eprintln!("worker: claimed {}", job.id);
                let ending = run(&client, &job).await;
                end(&client, &job, ending).await;
            }
            Answer::Ok(_) => {}
            Answer::Refused { status, code } => anyhow::bail!("the server refuses: {status} {code}"),
        }
    }
}

impl Job {
    fn of(claim: &Value, lease: Duration) -> anyhow::Result<Self> {
        let generation = claim.get("generation").context("a claim holds a generation")?;
        let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
        let option = |name: &str| generation.get("options")?.get(name)?.as_f64();
        Ok(Self {
            id: text(generation, "id").context("a generation has an id")?,
            prompt: text(generation, "prompt").unwrap_or_default(),
            steps: generation.pointer("/options/steps").and_then(Value::as_u64).unwrap_or(10).clamp(1, 1_000),
            step: Duration::from_secs_f64(option("step_seconds").unwrap_or(1.0).clamp(0.0, 3_600.0)),
            lease: text(claim, "lease_token").context("a claim holds a lease")?,
            renew: lease / 3,
        })
    }
}

/// Works through all steps, and heeds what the server answers to each report.
async fn run(client: &Client, job: &Job) -> Ending {
    for step in 1..=job.steps {
        let work = tokio::time::sleep(job.step);
        tokio::pin!(work);
        loop {
            // A step may take longer than the lease: a word in between keeps it.
            tokio::select! {
                () = &mut work => break,
                () = tokio::time::sleep(job.renew) => {
                    if let Some(ending) = report(client, job, step - 1).await {
                        return ending;
                    }
                }
            }
        }
        if let Some(ending) = report(client, job, step).await {
            return ending;
        }
    }
    Ending::Result(json!({ "words": job.prompt.split_whitespace().count() }))
}

/// Reports; `Some` when that is the end of it.
async fn report(client: &Client, job: &Job, done: u64) -> Option<Ending> {
    #[expect(clippy::cast_precision_loss, reason = "at most 1,000 steps")]
    let progress = done as f64 / job.steps as f64;
    let message = format!("step {done} of {}", job.steps);
    let body = json!({ "stage": "counting", "progress": progress, "message": message });
    match tell(client, job, "progress", &body).await {
        Answer::Ok(answer) if answer.get("cancel_requested") == Some(&Value::Bool(true)) => {
            Some(Ending::Cancelled)
        }
        Answer::Ok(_) => None,
        Answer::Refused { status, code } => {
            eprintln!("worker: {} is not ours any more: {status} {code}", job.id);
            Some(Ending::Lost)
        }
    }
}

async fn end(client: &Client, job: &Job, ending: Ending) {
    let (call, body) = match ending {
        Ending::Result(result) => ("complete", json!({ "result": result })),
        Ending::Cancelled => ("progress", json!({ "stage": "cancelled", "status": "cancelled" })),
        Ending::Lost => return,
    };
    match tell(client, job, call, &body).await {
        Answer::Ok(_) => eprintln!("worker: {} {call}", job.id),
        Answer::Refused { status, code } => eprintln!("worker: {} {call}: {status} {code}", job.id),
    }
}

async fn tell(client: &Client, job: &Job, call: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/generations/{}/{call}", job.id);
    client.post_until_answered(&path, body, Some(&job.lease)).await
}
