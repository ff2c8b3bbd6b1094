//! The handle on generations.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tidegate_types::{
    Clock, Entropy, ErrorCode, GenerationId, Limits, Offset, StreamPath, Timestamp, UserId,
};

use crate::{
    Announce, CancelError, Claim, ClaimError, Claimed, CreateError, Created, DeleteError, Filter, Generation,
    GenerationPage, GenerationStore, GenerationsError, New, Progress, Progressed, RetryError, WorkError,
};

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct GenerationsConfig {
    /// Frameworks that outside workers run.
    pub external: Vec<String>,
    /// Frameworks that the server itself runs.
    pub built_in: Vec<String>,
    /// How long finished generations are kept.
    pub retention: Duration,
}

/// What generations are made of; the binary wires it.
pub struct GenerationsParts {
    /// The tables.
    pub store: Arc<dyn GenerationStore>,
    /// Who tells the owner.
    pub announce: Arc<dyn Announce>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids and leases.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// What the operator decides.
    pub config: GenerationsConfig,
}

/// Generations. Cheap to clone.
#[derive(Clone)]
pub struct Generations {
    inner: Arc<GenerationsParts>,
}

impl fmt::Debug for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generations").finish_non_exhaustive()
    }
}

fn later<T>() -> Result<T, GenerationsError> {
    Err(GenerationsError::Stream { code: ErrorCode::NotImplemented, detail: "not there yet".to_owned() })
}

impl Generations {
    /// Opens the generations and brings rows that fell behind their streams up to date.
    ///
    /// # Errors
    /// The database or a stream cannot be read.
    pub async fn open(parts: GenerationsParts) -> Result<Self, GenerationsError> {
        Ok(Self { inner: Arc::new(parts) })
    }

    /// Where the stream of a generation lives.
    #[must_use]
    pub fn stream_path(id: &GenerationId) -> StreamPath {
        StreamPath::of_generation(id)
    }

    /// Creates a generation and its stream with the first record.
    ///
    /// # Errors
    /// A field is not valid, the framework is unknown, or the id is taken.
    pub async fn create(&self, _owner: UserId, _new: New) -> Result<Created, CreateError> {
        let _ = &self.inner;
        Ok(later()?)
    }

    /// A generation by its id, whoever's it is.
    ///
    /// # Errors
    /// The database or the stream cannot be read.
    pub async fn lookup(&self, _id: &GenerationId) -> Result<Option<Generation>, GenerationsError> {
        later()
    }

    /// The generations of an owner, newest first.
    ///
    /// # Errors
    /// The cursor is not one of ours, or the database cannot be read.
    pub async fn list(
        &self,
        _owner: UserId,
        _filter: &Filter,
        _cursor: Option<&str>,
        _limit: usize,
    ) -> Result<GenerationPage, GenerationsError> {
        later()
    }

    /// Returns the record once it reflects more than `after`, or as it is when the time is up.
    ///
    /// # Errors
    /// The database or the stream cannot be read.
    pub async fn wait_change(
        &self,
        _id: &GenerationId,
        _after: Offset,
        _timeout: Duration,
    ) -> Result<Option<Generation>, GenerationsError> {
        later()
    }

    /// Cancels one that waits; asks the worker of one that is under way to stop.
    ///
    /// # Errors
    /// There is no such generation, or it has ended.
    pub async fn cancel(&self, _id: &GenerationId) -> Result<Generation, CancelError> {
        Ok(later()?)
    }

    /// Creates a new generation like a finished one.
    ///
    /// # Errors
    /// There is no such generation of this owner, or it has not ended.
    pub async fn retry(&self, _owner: UserId, _id: &GenerationId) -> Result<Generation, RetryError> {
        Ok(later()?)
    }

    /// Deletes the record and its stream.
    ///
    /// # Errors
    /// There is no such generation.
    pub async fn delete(&self, _id: &GenerationId) -> Result<(), DeleteError> {
        Ok(later()?)
    }

    /// Hands the oldest fitting generation to a worker.
    ///
    /// # Errors
    /// A field is not valid.
    pub async fn claim(&self, _claim: Claim) -> Result<Option<Claimed>, ClaimError> {
        Ok(later()?)
    }

    /// Takes a worker's report and renews its lease.
    ///
    /// # Errors
    /// The lease is not the present one, or a field is not valid.
    pub async fn progress(
        &self,
        _id: &GenerationId,
        _lease: &str,
        _progress: Progress,
    ) -> Result<Progressed, WorkError> {
        Ok(later()?)
    }

    /// Ends one with its result and closes its stream, in one step.
    ///
    /// # Errors
    /// The lease is not the present one.
    pub async fn complete(
        &self,
        _id: &GenerationId,
        _lease: &str,
        _result: Value,
    ) -> Result<Generation, WorkError> {
        Ok(later()?)
    }

    /// Ends one with an error and closes its stream, or puts it back while attempts are left.
    ///
    /// # Errors
    /// The lease is not the present one, or the error has no readable form.
    pub async fn fail(
        &self,
        _id: &GenerationId,
        _lease: &str,
        _error: Value,
        _retryable: bool,
    ) -> Result<Generation, WorkError> {
        Ok(later()?)
    }

    /// Works through what is due: lost workers, announcements, old records. Bounded.
    /// Answers when to call again.
    ///
    /// # Errors
    /// The database or a stream cannot be written; nothing is lost, call again later.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, GenerationsError> {
        Ok(now.plus(Duration::from_secs(1)))
    }

    /// Returns when there is new work for [`Generations::step`].
    pub async fn woken(&self) {
        std::future::pending::<()>().await;
    }
}
