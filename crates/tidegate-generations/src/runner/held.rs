//! One claimed generation from its claim to its end.
//!
//! Rule: whatever the framework does (returns, panics, hangs), the generation ends, is handed back,
//! or is somebody else's by then.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::{Last, Shared};
use super::{Failure, Framework, Job};
use crate::{Claimed, Generation, Generations, Progress, Status, WorkError};

/// How long a framework may take to stop when its owner cancelled it.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// How long it may take when the server goes: a drain has 10 s for everything.
const DRAIN_GRACE: Duration = Duration::from_secs(3);
/// How long the end is tried again while the database is away.
const END_WITHIN: Duration = Duration::from_secs(30);
const DRAIN_END_WITHIN: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(200);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A claimed generation and who runs it.
pub(super) struct Held {
    pub(super) generations: Generations,
    pub(super) framework: Arc<dyn Framework>,
    pub(super) claimed: Claimed,
    pub(super) lasts: Duration,
    /// The server goes.
    pub(super) drain: CancellationToken,
}

/// Why a framework is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Its owner wants it.
    Cancelled,
    /// The generation is gone, ended, or somebody else's.
    Lost,
    /// The server goes.
    Drain,
}

/// How the framework ended. The inner error: it panicked, or was dropped.
type Ended = Result<Result<Value, Failure>, JoinError>;

impl Held {
    /// Runs it to its end.
    pub(super) async fn run(self) {
        let job = self.job();
        let framework = Arc::clone(&self.framework);
        let of_framework = job.clone();
        let mut task = tokio::spawn(async move { framework.run(of_framework).await });
        let (ended, why) = tokio::select! {
            ended = &mut task => (ended, self.why_now(&job)),
            why = self.watch(&job) => (stop(&job, task, why).await, Some(why)),
        };
        if why != Some(Why::Lost) {
            self.settle(&job, ended, why).await;
        }
    }

    fn job(&self) -> Job {
        let shared = Shared {
            generations: self.generations.clone(),
            record: self.claimed.generation.clone(),
            lease: self.claimed.lease_token.clone(),
            lasts: self.lasts,
            stop: CancellationToken::new(),
            cancel: CancellationToken::new(),
            lost: CancellationToken::new(),
            last: Mutex::new(Last::now()),
        };
        Job { shared: Arc::new(shared) }
    }

    /// What a framework that stopped by itself may have heard of.
    fn why_now(&self, job: &Job) -> Option<Why> {
        let heard =
            [(&job.shared.lost, Why::Lost), (&job.shared.cancel, Why::Cancelled), (&self.drain, Why::Drain)];
        heard.into_iter().find(|(token, _)| token.is_cancelled()).map(|(_, why)| why)
    }

    /// Keeps the lease, and returns when there is a reason to stop.
    async fn watch(&self, job: &Job) -> Why {
        let shared = &job.shared;
        tokio::select! {
            () = self.drain.cancelled() => Why::Drain,
            () = shared.cancel.cancelled() => Why::Cancelled,
            () = shared.lost.cancelled() => Why::Lost,
            why = self.follow() => why,
            why = self.keep(job) => why,
        }
    }

    /// Follows the record.
    async fn follow(&self) -> Why {
        let mut record = self.claimed.generation.clone();
        loop {
            match self.generations.wait_change(&record.id, record.offset, self.lasts).await {
                Ok(Some(next)) => match reason(&next, &self.claimed.generation) {
                    Some(why) => return why,
                    None => record = next,
                },
                Ok(None) => return Why::Lost,
                Err(error) => {
                    tracing::warn!(generation.id = %record.id, %error, "a job could not be looked at");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Renews the lease when the framework has said nothing for a while.
    async fn keep(&self, job: &Job) -> Why {
        loop {
            let due = job.last().at + self.lasts / 3;
            if Instant::now() < due {
                tokio::time::sleep_until(due).await;
                continue;
            }
            if job.renew().await.is_err() {
                return Why::Lost;
            }
        }
    }

    /// Tells the end as it is.
    async fn settle(&self, job: &Job, ended: Ended, why: Option<Why>) {
        let within = if why == Some(Why::Drain) { DRAIN_END_WITHIN } else { END_WITHIN };
        let deadline = Instant::now() + within;
        let id = job.id();
        let mut ending = Ending::of(ended, why);
        loop {
            let error = match self.tell(&ending, job).await {
                Ok(()) => return,
                Err(error) => error,
            };
            match error {
                // It was cancelled or taken away in the meantime: that end stands.
                WorkError::Fenced | WorkError::NotFound | WorkError::Transition(_) => return,
                WorkError::Invalid(invalid) => {
                    let error = json!({ "code": "result-refused", "message": invalid.to_string() });
                    ending = Ending::Failed { error, retryable: false };
                }
                WorkError::Generations(error) if Instant::now() >= deadline => {
                    tracing::error!(generation.id = %id, %error, "the end of a job could not be told");
                    return;
                }
                WorkError::Generations(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    async fn tell(&self, ending: &Ending, job: &Job) -> Result<(), WorkError> {
        let (id, lease) = (job.id(), self.claimed.lease_token.reveal());
        match ending {
            Ending::Completed(result) => self.generations.complete(id, lease, result.clone()).await.map(drop),
            Ending::Failed { error, retryable } => {
                self.generations.fail(id, lease, error.clone(), *retryable).await.map(drop)
            }
            Ending::Cancelled => {
                let stopped = Progress {
                    stage: "cancelled".to_owned(),
                    status: Some("cancelled".to_owned()),
                    ..Progress::default()
                };
                self.generations.progress(id, lease, stopped).await.map(drop)
            }
            Ending::HandedBack => {
                self.generations.hand_back(id, lease, "The server was stopped").await.map(drop)
            }
        }
    }
}

/// Why the holder of `held` should stop, if the record says so.
fn reason(now: &Generation, held: &Generation) -> Option<Why> {
    match now.status {
        // Made again under the same id, or claimed by somebody else, it is another one's.
        _ if now.created_at != held.created_at || now.attempt != held.attempt => Some(Why::Lost),
        Status::Processing => None,
        Status::Cancelling => Some(Why::Cancelled),
        Status::Pending | Status::Completed | Status::Failed | Status::Cancelled => Some(Why::Lost),
    }
}

/// Asks the framework to stop; drops it if it doesn't.
async fn stop(job: &Job, mut task: JoinHandle<Result<Value, Failure>>, why: Why) -> Ended {
    job.shared.stop.cancel();
    let grace = if why == Why::Drain { DRAIN_GRACE } else { CANCEL_GRACE };
    match tokio::time::timeout(grace, &mut task).await {
        Ok(ended) => ended,
        Err(_) => {
            tracing::warn!(generation.id = %job.id(), "a framework did not stop when asked, and is dropped");
            task.abort();
            task.await
        }
    }
}

/// What is told to the server.
#[derive(Debug)]
enum Ending {
    Completed(Value),
    Failed { error: Value, retryable: bool },
    Cancelled,
    HandedBack,
}

impl Ending {
    fn of(ended: Ended, why: Option<Why>) -> Self {
        match (ended, why) {
            // A result counts, even one that came after the wish to stop.
            (Ok(Ok(result)), _) => Self::Completed(result),
            (_, Some(Why::Drain)) => Self::HandedBack,
            (_, Some(Why::Cancelled | Why::Lost)) => Self::Cancelled,
            (Ok(Err(failure)), None) => {
                let (error, retryable) = failure.into_error().unwrap_or_else(|| (broken(), false));
                Self::Failed { error, retryable }
            }
            (Err(_), None) => Self::Failed { error: broken(), retryable: false },
        }
    }
}

fn broken() -> Value {
    json!({ "code": "internal", "message": "The framework broke off; this is a bug of the server" })
}
