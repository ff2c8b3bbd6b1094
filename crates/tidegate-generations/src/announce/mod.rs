//! Telling the owner what happens; the binary wires this to the owner's feed.

mod tell;

use async_trait::async_trait;
use serde_json::Value;
use tidegate_types::{GenerationId, UserId};

use crate::{Generation, Status};

pub(crate) use tell::Teller;

/// One thing to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// Whom to tell.
    pub owner: UserId,
    /// What it is about.
    pub generation: GenerationId,
    /// `generation.created`, `.progress`, `.completed`, `.failed` or `.cancelled`.
    pub event_type: &'static str,
    /// The same for the same thing told twice (after a crash): drop the second.
    pub id: Option<String>,
    /// Status, stage, progress and so on, without prompt and result.
    pub data: Value,
}

/// It could not be told now; it is told again later.
#[derive(Clone, Debug, thiserror::Error)]
#[error("announcing failed: {0}")]
pub struct AnnounceFailed(pub String);

/// Who tells the owner.
#[async_trait]
pub trait Announce: Send + Sync {
    /// Tells one thing. An owner that is gone counts as told.
    ///
    /// # Errors
    /// It could not be told now; the call is repeated later.
    async fn announce(&self, announcement: &Announcement) -> Result<(), AnnounceFailed>;
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAnnounce;

#[async_trait]
impl Announce for NoAnnounce {
    async fn announce(&self, _: &Announcement) -> Result<(), AnnounceFailed> {
        Ok(())
    }
}

/// What one change gives to tell.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Kept in the same commit as the row, so that a crash does not swallow it.
    pub(crate) kept: Vec<Announcement>,
    /// Whether it is progress, told at most once a second.
    pub(crate) progress: bool,
}

impl Told {
    /// A generation was created.
    pub(crate) fn created(record: &Generation) -> Self {
        Self { kept: vec![lasting(record, "generation.created")], progress: false }
    }

    /// A generation moved on.
    pub(crate) fn about(before: &Generation, after: &Generation) -> Self {
        match end_type(after.status) {
            Some(event_type) if !before.status.is_finished() => {
                Self { kept: vec![lasting(after, event_type)], progress: false }
            }
            Some(_) => Self::default(),
            None => Self { kept: Vec::new(), progress: true },
        }
    }

    /// A generation was found to be further than its row, or to have no row at all.
    pub(crate) fn since(before: Option<&Generation>, after: &Generation) -> Self {
        match before {
            Some(before) => Self::about(before, after),
            None => {
                let mut told = Self::created(after);
                told.kept.extend(end_type(after.status).map(|event_type| lasting(after, event_type)));
                told
            }
        }
    }
}

/// The event type as the constant that it is, if it is one of ours.
pub(crate) fn known_event_type(text: &str) -> Option<&'static str> {
    const ALL: [&str; 5] =
        ["generation.created", PROGRESS, "generation.completed", "generation.failed", "generation.cancelled"];
    ALL.into_iter().find(|known| *known == text)
}

pub(crate) const PROGRESS: &str = "generation.progress";

const fn end_type(status: Status) -> Option<&'static str> {
    match status {
        Status::Completed => Some("generation.completed"),
        Status::Failed => Some("generation.failed"),
        Status::Cancelled => Some("generation.cancelled"),
        Status::Pending | Status::Processing | Status::Cancelling => None,
    }
}

fn lasting(record: &Generation, event_type: &'static str) -> Announcement {
    // An id may be used again after a deletion; the time of creation tells the two apart.
    let id = format!("{}.{}.{event_type}", record.id, record.created_at.as_millis());
    Announcement { id: Some(id), ..announcement(record, event_type) }
}

pub(crate) fn announcement(record: &Generation, event_type: &'static str) -> Announcement {
    let mut data = serde_json::json!({
        "generation_id": record.id,
        "title": record.title,
        "framework": record.framework,
        "status": record.status,
        "stage": record.stage,
        "progress": record.progress,
        "message": record.message,
        "attempt": record.attempt,
    });
    if let (Some(error), Some(data)) = (&record.error, data.as_object_mut()) {
        data.insert("error".to_owned(), error.clone());
    }
    Announcement { owner: record.owner_id, generation: record.id.clone(), event_type, id: None, data }
}
