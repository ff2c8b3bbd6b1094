//! The record of a generation, as clients see it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_types::{GenerationId, Offset, Timestamp, UserId};

/// The stage of the first record.
pub const STAGE_INIT: &str = "init";
/// The stage of a further attempt that waits for a worker.
pub const STAGE_QUEUED: &str = "queued";
/// The stage once a worker has it, until the worker says its own.
pub const STAGE_CLAIMED: &str = "claimed";
/// The stage once its cancelling was asked for.
pub const STAGE_CANCELLING: &str = "cancelling";
/// The last stage of one that succeeded.
pub const STAGE_COMPLETED: &str = "completed";
/// The last stage of one that failed.
pub const STAGE_FAILED: &str = "failed";
/// The last stage of one that was cancelled.
pub const STAGE_CANCELLED: &str = "cancelled";

/// Where a generation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for a worker.
    Pending,
    /// A worker has it.
    Processing,
    /// A worker has it and was asked to stop.
    Cancelling,
    /// Ended with a result.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Processing, Self::Cancelling, Self::Completed, Self::Failed, Self::Cancelled];

    /// The status as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Pending | Self::Processing | Self::Cancelling => false,
        }
    }

    /// Whether a worker has it.
    #[must_use]
    pub const fn is_held(self) -> bool {
        match self {
            Self::Processing | Self::Cancelling => true,
            Self::Pending | Self::Completed | Self::Failed | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a status is pending, processing, cancelling, completed, failed or cancelled")]
pub struct StatusError;

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(StatusError)
    }
}

/// A generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// Its id, the server's or the client's own.
    pub id: GenerationId,
    /// Whose it is.
    pub owner_id: UserId,
    /// Its name for people.
    pub title: Option<String>,
    /// What was asked for.
    pub prompt: String,
    /// Its kind: which workers run it.
    pub framework: String,
    /// Further wishes, as the framework knows them.
    pub options: Map<String, Value>,
    /// The documents that it is about.
    pub document_ids: Vec<String>,
    /// Where it is in its life.
    pub status: Status,
    /// What it does now, in the worker's words.
    pub stage: String,
    /// 0 to 1; never falls within an attempt.
    pub progress: f64,
    /// A sentence for people.
    pub message: Option<String>,
    /// What came out, once completed.
    pub result: Option<Value>,
    /// `{code, message, …}`, once failed.
    pub error: Option<Value>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How many attempts there may be.
    pub max_attempts: u32,
    /// The name of the worker that has it, or had it last.
    pub worker: Option<String>,
    /// The generation that this one repeats.
    pub retry_of: Option<GenerationId>,
    /// Its place among those that wait for the same framework, from 1; only while pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_place: Option<u64>,
    /// The position in its stream that this record reflects.
    pub offset: Offset,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its last record was written.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A generation to create.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct New {
    /// The client's own id; else the server makes one.
    pub id: Option<GenerationId>,
    /// Its name for people.
    pub title: Option<String>,
    /// What is asked for.
    pub prompt: String,
    /// Its kind.
    pub framework: String,
    /// Further wishes.
    pub options: Map<String, Value>,
    /// The documents that it is about.
    pub document_ids: Vec<String>,
    /// How many attempts there may be; else the server's default.
    pub max_attempts: Option<u32>,
}

/// What became of a creation.
#[derive(Clone, Debug, PartialEq)]
pub struct Created {
    /// The record.
    pub record: Generation,
    /// Whether the same one was there before (200 instead of 201).
    pub existed: bool,
}

/// Which generations a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this state.
    pub status: Option<Status>,
    /// Only those of this framework.
    pub framework: Option<String>,
}

/// A page of generations, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GenerationPage {
    /// The records.
    pub items: Vec<Generation>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}
