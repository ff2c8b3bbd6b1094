//! What workers do: claim, report, end, hand back.

mod attendance;
mod claim;
mod end;
mod hand_back;
mod hold;
mod lapse;
mod progress;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_types::{GenerationId, KeyId, Offset, Secret, UserId};

use crate::Generation;

pub(crate) use attendance::Attendance;

/// A worker's wish for work.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The worker's name, for people.
    pub worker: String,
    /// The key that it came with.
    pub key_id: KeyId,
    /// Only generations of this owner: for keys that belong to a user.
    pub owner: Option<UserId>,
    /// What it can run.
    pub frameworks: Vec<String>,
    /// How long it keeps the lease without a word, 5 to 600 s.
    pub lease: Duration,
    /// How long it waits for work, up to 30 s.
    pub wait: Duration,
    /// Only this one.
    pub id: Option<GenerationId>,
}

/// Work.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// What to do.
    pub generation: Generation,
    /// The secret that goes with each report.
    pub lease_token: Secret,
    /// Which claim of this generation it is, from 1.
    pub epoch: u64,
}

/// A worker's report.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// What it does now.
    pub stage: String,
    /// 0 to 1; a lower one than before is raised to it.
    pub progress: Option<f64>,
    /// A sentence for people.
    pub message: Option<String>,
    /// `cancelled` ends one whose cancelling was asked for; `processing` says nothing new.
    pub status: Option<String>,
    /// Whatever else the page may want to show.
    pub extras: Map<String, Value>,
}

/// The answer to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progressed {
    /// The position after the report's record.
    pub offset: Offset,
    /// Whether the worker should stop.
    pub cancel_requested: bool,
}
