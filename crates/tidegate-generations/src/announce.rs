//! Telling the owner what happens; the binary wires this to the owner's feed.

use async_trait::async_trait;
use serde_json::Value;
use tidegate_types::{GenerationId, UserId};

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
