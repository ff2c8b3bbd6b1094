//! The job as a framework sees it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use tidegate_types::{GenerationId, Secret, UserId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::model::STAGE_CLAIMED;
use crate::{Generation, Generations, Progress, WorkError};

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// A claimed generation. Cheap to clone.
#[derive(Clone)]
pub struct Job {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) generations: Generations,
    pub(super) record: Generation,
    pub(super) lease: Secret,
    pub(super) lasts: Duration,
    /// The framework should stop, whatever the reason.
    pub(super) stop: CancellationToken,
    /// A report was answered with the wish for a cancel.
    pub(super) cancel: CancellationToken,
    /// A report was answered with a fence.
    pub(super) lost: CancellationToken,
    pub(super) last: Mutex<Last>,
}

/// The last word to the server.
#[derive(Clone, Debug)]
pub(super) struct Last {
    pub(super) at: Instant,
    stage: String,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.shared.record.id).finish_non_exhaustive()
    }
}

impl Job {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &GenerationId {
        &self.shared.record.id
    }

    /// Whose it is: what it may read is what this user may read.
    #[must_use]
    pub fn owner(&self) -> UserId {
        self.shared.record.owner_id
    }

    /// Its name for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.shared.record.title.as_deref()
    }

    /// What was asked for.
    #[must_use]
    pub fn prompt(&self) -> &str {
        &self.shared.record.prompt
    }

    /// Further wishes.
    #[must_use]
    pub fn options(&self) -> &Map<String, Value> {
        &self.shared.record.options
    }

    /// The documents that it is about.
    #[must_use]
    pub fn document_ids(&self) -> &[String] {
        &self.shared.record.document_ids
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.shared.record.attempt
    }

    /// Ends when the job should stop: its owner cancelled it, the lease is lost, or the server goes.
    pub async fn cancelled(&self) {
        self.shared.stop.cancelled().await;
    }

    /// Whether the job should stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.stop.is_cancelled()
    }

    /// Reports: a stage, 0 to 1, a sentence for people, whatever else the page may want to show. A
    /// database that is away is waited for as long as the lease may last.
    ///
    /// # Errors
    /// The job should stop, or the report is not one that the server takes.
    pub async fn report(
        &self,
        stage: &str,
        progress: f64,
        message: impl Into<Option<String>>,
        extras: Map<String, Value>,
    ) -> Result<(), Failure> {
        let message = message.into();
        self.send(Progress {
            stage: stage.to_owned(),
            progress: Some(progress.clamp(0.0, 1.0)),
            message,
            extras,
            status: None,
        })
        .await?;
        if self.is_cancelled() { Err(Failure::Stopped) } else { Ok(()) }
    }

    /// The last stage again, to keep the lease.
    pub(super) async fn renew(&self) -> Result<(), Failure> {
        let stage = self.last().stage;
        self.send(Progress { stage, ..Progress::default() }).await
    }

    pub(super) fn last(&self) -> Last {
        self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn send(&self, progress: Progress) -> Result<(), Failure> {
        let shared = &self.shared;
        let (id, lease) = (&shared.record.id, shared.lease.reveal());
        let mut pause = RETRY_FIRST;
        loop {
            let error = match shared.generations.progress(id, lease, progress.clone()).await {
                Ok(progressed) => {
                    *shared.last.lock().unwrap_or_else(PoisonError::into_inner) =
                        Last { at: Instant::now(), stage: progress.stage };
                    if progressed.cancel_requested {
                        shared.cancel.cancel();
                    }
                    return Ok(());
                }
                Err(error) => error,
            };
            match error {
                WorkError::Fenced | WorkError::NotFound | WorkError::Transition(_) => {
                    shared.lost.cancel();
                    return Err(Failure::Stopped);
                }
                WorkError::Invalid(invalid) => {
                    return Err(Failure::new("invalid-report", invalid.to_string()));
                }
                WorkError::Generations(error) => {
                    tracing::warn!(generation.id = %id, %error, "a report waits for the database");
                }
            }
            if self.last().at.elapsed() > shared.lasts {
                return Err(Failure::for_now("reports-lost", "The database did not take a report in time"));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(RETRY_MAX),
                () = shared.stop.cancelled() => return Err(Failure::Stopped),
            }
        }
    }
}

impl Last {
    pub(super) fn now() -> Self {
        Self { at: Instant::now(), stage: STAGE_CLAIMED.to_owned() }
    }
}
