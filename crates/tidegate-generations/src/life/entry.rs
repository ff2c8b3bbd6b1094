//! One record of a generation's stream, as it is stored and as subscribers see it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidegate_types::{GenerationId, Timestamp, UserId};

use super::{InvalidTransition, Projection, transition};
use crate::Status;
use crate::model::{
    STAGE_CANCELLED, STAGE_CANCELLING, STAGE_CLAIMED, STAGE_COMPLETED, STAGE_FAILED, STAGE_INIT, STAGE_QUEUED,
};

/// A record: always shaped like progress, so that a page needs one way to read all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose record it is.
    pub generation_id: GenerationId,
    /// The status from here on.
    pub status: Status,
    /// What it does now.
    pub stage: String,
    /// 0 to 1.
    pub progress: f64,
    /// A sentence for people.
    pub message: Option<String>,
    /// When, in Unix seconds.
    pub timestamp: f64,
    /// Which attempt.
    pub attempt: u32,
    /// What only some records have: [`Origin`] the first, `worker` and `epoch` a claim, `result`
    /// or `error` an end, `last_error` a further attempt, extras a worker's report.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What the first record holds beside the progress: all that never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Whose generation it is.
    pub owner_id: UserId,
    /// Its name for people.
    pub title: Option<String>,
    /// What was asked for.
    pub prompt: String,
    /// Its kind.
    pub framework: String,
    /// Further wishes.
    pub options: Map<String, Value>,
    /// The documents that it is about.
    pub document_ids: Vec<String>,
    /// How many attempts there may be.
    pub max_attempts: u32,
    /// The generation that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<GenerationId>,
}

impl Entry {
    /// The first record.
    ///
    /// # Errors
    /// The origin has no JSON form (never, in practice).
    pub fn created(id: &GenerationId, origin: &Origin, now: Timestamp) -> Result<Self, serde_json::Error> {
        let rest = match serde_json::to_value(origin)? {
            Value::Object(rest) => rest,
            _ => Map::new(),
        };
        Ok(Self {
            generation_id: id.clone(),
            status: Status::Pending,
            stage: STAGE_INIT.to_owned(),
            progress: 0.0,
            message: Some("Waiting for a worker".to_owned()),
            timestamp: now.as_secs_f64(),
            attempt: 1,
            rest,
        })
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// It is not shaped like progress.
    pub fn decode(data: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(data)
    }

    /// The stored form.
    ///
    /// # Errors
    /// The entry has no JSON form (never, in practice).
    pub fn encode(&self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    /// When, as the record says.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and times of records are small")]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis((self.timestamp * 1_000.0).round() as i64)
    }
}

impl Projection {
    /// A worker takes it.
    ///
    /// # Errors
    /// It does not wait.
    pub fn claim(&self, worker: &str, now: Timestamp) -> Result<Entry, InvalidTransition> {
        let mut entry = self.follow(Status::Processing, STAGE_CLAIMED, now)?;
        entry.message = Some("A worker took it".to_owned());
        entry.rest.insert("worker".to_owned(), json!(worker));
        entry.rest.insert("epoch".to_owned(), json!(self.epoch + 1));
        Ok(entry)
    }

    /// The worker reports. Lower progress than before is raised to it.
    ///
    /// # Errors
    /// Nobody holds it.
    pub fn report(
        &self,
        stage: &str,
        progress: Option<f64>,
        message: Option<String>,
        now: Timestamp,
    ) -> Result<Entry, InvalidTransition> {
        let to =
            if self.record.status == Status::Cancelling { Status::Cancelling } else { Status::Processing };
        if !self.record.status.is_held() {
            return Err(InvalidTransition { from: self.record.status, to });
        }
        let mut entry = self.follow(to, stage, now)?;
        entry.progress = progress.unwrap_or(0.0).max(self.record.progress);
        // A stage's last message stands until the stage changes.
        let unchanged = stage == self.record.stage;
        entry.message = message.or_else(|| self.record.message.clone().filter(|_| unchanged));
        Ok(entry)
    }

    /// Its owner wants it to stop: at once if it waits, else by asking the worker.
    ///
    /// # Errors
    /// It has ended, or its worker was asked already.
    pub fn cancel(&self, now: Timestamp) -> Result<Entry, InvalidTransition> {
        match self.record.status {
            Status::Processing => {
                let mut entry = self.follow(Status::Cancelling, STAGE_CANCELLING, now)?;
                entry.message = Some("Cancelling".to_owned());
                Ok(entry)
            }
            Status::Cancelling => Err(InvalidTransition { from: Status::Cancelling, to: Status::Cancelling }),
            Status::Pending | Status::Completed | Status::Failed | Status::Cancelled => {
                self.end_cancelled("Cancelled before a worker took it", now)
            }
        }
    }

    /// It ends on request.
    ///
    /// # Errors
    /// Nobody asked for it, or it has ended.
    pub fn end_cancelled(&self, message: &str, now: Timestamp) -> Result<Entry, InvalidTransition> {
        let mut entry = self.follow(Status::Cancelled, STAGE_CANCELLED, now)?;
        entry.message = Some(message.to_owned());
        Ok(entry)
    }

    /// It ends with a result.
    ///
    /// # Errors
    /// Nobody holds it.
    pub fn end_completed(&self, result: Value, now: Timestamp) -> Result<Entry, InvalidTransition> {
        let mut entry = self.follow(Status::Completed, STAGE_COMPLETED, now)?;
        entry.progress = 1.0;
        entry.message = Some("Completed".to_owned());
        entry.rest.insert("result".to_owned(), result);
        Ok(entry)
    }

    /// It ends with an error.
    ///
    /// # Errors
    /// Nobody holds it.
    pub fn end_failed(&self, error: Value, now: Timestamp) -> Result<Entry, InvalidTransition> {
        let mut entry = self.follow(Status::Failed, STAGE_FAILED, now)?;
        entry.message = message_of(&error);
        entry.rest.insert("error".to_owned(), error);
        Ok(entry)
    }

    /// It waits for its next attempt.
    ///
    /// # Errors
    /// It is not under way, or was asked to stop.
    pub fn requeue(&self, error: Value, now: Timestamp) -> Result<Entry, InvalidTransition> {
        let mut entry = self.follow(Status::Pending, STAGE_QUEUED, now)?;
        entry.attempt = self.record.attempt.saturating_add(1);
        entry.progress = 0.0;
        let reason = message_of(&error).unwrap_or_default();
        entry.message =
            Some(format!("{reason}; waiting for attempt {} of {}", entry.attempt, self.record.max_attempts));
        entry.rest.insert("last_error".to_owned(), error);
        Ok(entry)
    }

    /// Its worker goes away through no fault of the job: it waits again, within the same attempt.
    ///
    /// # Errors
    /// It is not under way, or was asked to stop.
    pub fn hand_back(&self, reason: &str, now: Timestamp) -> Result<Entry, InvalidTransition> {
        let mut entry = self.follow(Status::Pending, STAGE_QUEUED, now)?;
        entry.message = Some(format!("{reason}; waiting for a worker"));
        Ok(entry)
    }

    fn follow(&self, to: Status, stage: &str, now: Timestamp) -> Result<Entry, InvalidTransition> {
        transition(self.record.status, to)?;
        Ok(Entry {
            generation_id: self.record.id.clone(),
            status: to,
            stage: stage.to_owned(),
            progress: self.record.progress,
            message: None,
            timestamp: now.as_secs_f64(),
            attempt: self.record.attempt,
            rest: Map::new(),
        })
    }
}

fn message_of(error: &Value) -> Option<String> {
    error.get("message").and_then(Value::as_str).map(str::to_owned)
}
